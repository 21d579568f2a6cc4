"""What devices did not let in of what the broker brought them, counted for operators."""

from contract.uplink import CheckIn
from control.fleet.visits import Visitor
from control.metrics import count_refused_messages


def note_refused_messages(device: Visitor, message: CheckIn) -> None:
    """Add what the device refused since it was last heard.

    It counts from its agent's start: a count that fell has begun anew. The same count again adds nothing.
    """
    told, before = message.refused_messages, device.refused_messages_told
    if told == before:
        return
    new = told - before if told > before else told
    device.refused_messages_told = told
    device.refused_messages += new
    count_refused_messages(new)
