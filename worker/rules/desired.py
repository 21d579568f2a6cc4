"""What an intent asks for, and whether it holds already."""

from contract.states import DesiredState, DetectionState, Intent, Outcome

_DESIRED = {
    # A dependency and an app the user asked for are installed like required ones: a job exists because it is wanted.
    Intent.NOT_TARGETED: DesiredState.PRESENT,
    Intent.AVAILABLE: DesiredState.PRESENT,
    Intent.REQUIRED: DesiredState.PRESENT,
    Intent.UNINSTALL: DesiredState.NOT_PRESENT,
}

_WANTED_DETECTION = {
    DesiredState.PRESENT: DetectionState.DETECTED,
    DesiredState.NOT_PRESENT: DetectionState.NOT_DETECTED,
}


def desired_state(intent: Intent) -> DesiredState:
    """What a job of that intent brings about."""
    return _DESIRED[intent]


def is_as_desired(intent: Intent, detection: DetectionState) -> bool:
    """Whether detection says that the device is as the intent wants it (behaviour B-02, B-33)."""
    return _WANTED_DETECTION[desired_state(intent)] is detection


def already_as_desired(intent: Intent) -> Outcome:
    """The outcome where nothing had to be done."""
    return Outcome.ALREADY_ABSENT if intent is Intent.UNINSTALL else Outcome.ALREADY_INSTALLED


def brought_about(intent: Intent) -> Outcome:
    """The outcome where the command did it."""
    return Outcome.UNINSTALLED if intent is Intent.UNINSTALL else Outcome.INSTALLED
