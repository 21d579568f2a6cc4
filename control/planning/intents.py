"""Which intent wins where several groups want different things of one device (behaviour 2.9)."""

from collections.abc import Iterable
from typing import Final

from contract.states import Intent

#: The first of these that is there wins: required beats uninstall, uninstall beats available.
_PRECEDENCE: Final = (Intent.REQUIRED, Intent.UNINSTALL, Intent.AVAILABLE)

#: Intents that bring an app to a device; an available one only when somebody there has asked for it.
INSTALLING: Final = frozenset({Intent.REQUIRED, Intent.AVAILABLE})


def winning_intent(intents: Iterable[Intent]) -> Intent:
    """The one intent that holds; not targeted where there is none."""
    wanted = frozenset(intents)
    return next((intent for intent in _PRECEDENCE if intent in wanted), Intent.NOT_TARGETED)
