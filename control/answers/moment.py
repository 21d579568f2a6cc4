"""The moment an answer is given for: what counts as online, and as overdue."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from control.services import Services


@dataclass(frozen=True)
class Moment:
    """When someone asks.

    Attributes:
        online_since: Devices seen since then count as online.
        silence_limit: See `control.dispatch.watch`.
    """

    now: datetime
    online_since: datetime
    silence_limit: timedelta


def this_moment(services: Services) -> Moment:
    """Now, by the control plane's clock and settings."""
    now, settings = services.clock.now(), services.settings
    return Moment(now, now - settings.online_window, settings.silence_limit)
