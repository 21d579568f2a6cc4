"""Which intent wins where several groups want different things of one device (behaviour 2.9)."""

from collections.abc import Iterable
from typing import Final

from contract.states import Intent

#: The first of these that is there wins: required beats uninstall, uninstall beats available.
_PRECEDENCE: Final = (Intent.REQUIRED, Intent.UNINSTALL, Intent.AVAILABLE)

#: Intents that the control plane acts on by itself; available waits for someone at the device to ask.
PUSHED: Final = frozenset({Intent.REQUIRED, Intent.UNINSTALL})


def winning_intent(intents: Iterable[Intent]) -> Intent:
    """The one intent that holds; not targeted where there is none."""
    wanted = frozenset(intents)
    return next((intent for intent in _PRECEDENCE if intent in wanted), Intent.NOT_TARGETED)
