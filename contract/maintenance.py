"""Maintenance windows: the hours of the week in which a device may install, by the device's own clock on the wall.

A window opens at its time of day on each of its days, in the device's time zone, and stays open for its duration in
real time: a night on which clocks change neither shortens nor lengthens it. A time of day that a day does not have,
because clocks go forward, is as much later as the clocks are; of one that a day has twice the first counts.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from contract.documents import Fragment

#: A day has at most so many minutes of a window that begins in it: the next one may follow without a gap.
MAX_WINDOW_MINUTES: Final = 24 * 60

#: A window that is open now began at most so many days ago, by any calendar.
_DAYS_BEFORE: Final = 2
#: The next one begins within so many days: each window comes every week.
_DAYS_AFTER: Final = 8


class Weekday(StrEnum):
    """A day of the week; their order is that of `datetime.date.weekday`."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


_WEEK: Final = tuple(Weekday)


def _in_order(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    """Each once, from monday on: the same days always read the same, also in a digest."""
    return tuple(day for day in _WEEK if day in days)


class MaintenanceWindow(Fragment):
    """One window, every week.

    Attributes:
        days: The days on which it opens; one that goes past midnight still belongs to the day it opened on.
        start: When it opens, as `HH:MM`.
        duration_in_minutes: How long it stays open.
    """

    days: Annotated[tuple[Weekday, ...], AfterValidator(_in_order)] = Field(default=_WEEK, min_length=1)
    start: str = Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    duration_in_minutes: int = Field(ge=1, le=MAX_WINDOW_MINUTES)


def is_open(windows: Sequence[MaintenanceWindow], local_time: datetime) -> bool:
    """Whether one of the windows is open; without any, always.

    Args:
        windows: The windows.
        local_time: The time in the device's zone; see `local`.
    """
    return not windows or any(begin <= local_time < end for begin, end in _spans(windows, local_time))


def next_opening(windows: Sequence[MaintenanceWindow], local_time: datetime) -> datetime:
    """When one of the windows is open next, in the zone of `local_time`; that very time where one is open."""
    if is_open(windows, local_time):
        return local_time
    begins = (begin for begin, _ in _spans(windows, local_time) if begin > local_time)
    return min(begins).astimezone(local_time.tzinfo)


def local(moment: datetime, zone: str) -> datetime:
    """The moment on the clocks of a time zone; in UTC where this machine does not know the zone's name."""
    return moment.astimezone(_zone(zone))


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _spans(windows: Sequence[MaintenanceWindow], local_time: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The windows around a time, each as its first moment and the first one after it, in UTC.

    Times of one zone are compared by the clocks on the wall, in which an hour may come twice: so all are in UTC.
    """
    first = local_time.date() - timedelta(days=_DAYS_BEFORE)
    for number in range(_DAYS_BEFORE + _DAYS_AFTER + 1):
        day = first + timedelta(days=number)
        for window in windows:
            if _WEEK[day.weekday()] in window.days:
                begin = _opening(window, day, local_time.tzinfo)
                yield begin, begin + timedelta(minutes=window.duration_in_minutes)


def _opening(window: MaintenanceWindow, day: date, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, time.fromisoformat(window.start), zone).astimezone(UTC)
