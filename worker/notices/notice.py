"""What is said, and to whom it is not said (behaviour B-13, B-42, B-60, 2.10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from contract.policy import Policy
from contract.states import Intent, NotificationLevel


@dataclass(frozen=True)
class Notice:
    """A short text for a person.

    Attributes:
        urgent: Stays until it is seen.
    """

    title: str
    text: str
    urgent: bool = False


class Event(Enum):
    """What happens to an app; the words for an install and for an uninstall."""

    DOWNLOADING = ("is being downloaded and installed", "")
    INSTALLING = ("is being installed", "is being removed")
    INSTALLED = ("was installed", "was removed")
    FAILED = ("could not be installed", "could not be removed")


def app_notice(event: Event, policy: Policy) -> Notice | None:
    """The notice of an event; None where the policy keeps it quiet, or there is nothing to say."""
    install, uninstall = event.value
    words = uninstall if policy.intent is Intent.UNINSTALL else install
    if policy.notifications is not NotificationLevel.SHOW_ALL or not words:
        return None
    return Notice(policy.app_name, f"{policy.app_name} {words}.")


def restart_notice(apps: Sequence[str], at: datetime) -> Notice:
    """The notice of a restart that is due."""
    when = at.astimezone().isoformat(sep=" ", timespec="minutes")
    text = f"This device must restart by {when} to finish {', '.join(apps)}. Save your work and restart when it suits."
    return Notice("Restart required", text, urgent=True)
