"""When a command may be run: not before the time that its assignment sets, and in a maintenance window (2.10)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from contract.maintenance import is_open, next_opening
from contract.policy import Delivery
from contract.report import WaitReason


@dataclass(frozen=True)
class NotYet:
    """The command is not run now.

    Attributes:
        at: When it may be, by the device's own clock.
    """

    at: datetime
    reason: WaitReason


def not_yet(delivery: Delivery, local_time: datetime) -> NotYet | None:
    """Until when the command waits; None where it may be run now.

    Args:
        delivery: What the assignment says.
        local_time: The time in the device's own zone.
    """
    deadline = _deadline(delivery, local_time)
    if deadline is not None and local_time.astimezone(UTC) < deadline.astimezone(UTC):
        return NotYet(next_opening(delivery.windows, deadline), WaitReason.DEADLINE)
    if not is_open(delivery.windows, local_time):
        return NotYet(next_opening(delivery.windows, local_time), WaitReason.WINDOW)
    return None


def _deadline(delivery: Delivery, local_time: datetime) -> datetime | None:
    if delivery.deadline_at is None:
        return None
    if delivery.deadline_is_local:
        return delivery.deadline_at.astimezone(UTC).replace(tzinfo=local_time.tzinfo)
    return delivery.deadline_at.astimezone(local_time.tzinfo)
