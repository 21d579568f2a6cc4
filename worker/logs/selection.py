"""Which events somebody wants to see."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.phases import Phase
from worker.logs.level import LogLevel

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGO: Final = re.compile(r"(\d{1,9})([smhd])")


@dataclass(frozen=True)
class Selection:
    """What an event must have; what is None or empty does not matter.

    Attributes:
        app: An app's id or name, in any case.
        level: At least so grave.
        since: Not older than this.
    """

    app: str = ""
    job: str = ""
    phase: Phase | None = None
    level: LogLevel | None = None
    since: datetime | None = None

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Whether an event is among them."""
        return (
            (not self.app or self._is_of_app(event))
            and (not self.job or event.get("job") == self.job)
            and (self.phase is None or event.get("phase") == self.phase)
            and (self.level is None or _gravity(event) >= self.level.number)
            and (self.since is None or _at(event, self.since) >= self.since)
        )

    def _is_of_app(self, event: Mapping[str, Any]) -> bool:
        names = (str(event.get(field, "")).casefold() for field in ("app", "app_id"))
        return self.app.casefold() in names


def since(text: str, now: datetime) -> datetime:
    """A moment as people write it: `90s`, `10m`, `2h`, `3d` ago, or a date with or without a time and zone.

    Raises:
        InputError: TIME_INVALID.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError) as error:
        raise InputError(ErrorCode.TIME_INVALID, place=text) from error


def _gravity(event: Mapping[str, Any]) -> int:
    try:
        return LogLevel(event.get("level", "")).number
    except ValueError:
        # "critical" and what has no level at all are never left out.
        return LogLevel.ERROR.number


def _at(event: Mapping[str, Any], otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(str(event.get("timestamp")))
    except ValueError:
        return otherwise
