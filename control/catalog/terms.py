"""The terms of an assignment: how it picks devices, when it holds, how the app comes (behaviour 2.8 to 2.10)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.policy import DeliverySettings
from contract.states import Intent
from control.targeting import Mode, TimeBasis

#: Times outside these years are slips of the pen, and some have no counterpart in other time zones.
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2999

#: An app comes as its revision says.
PLAIN_DELIVERY: Final = DeliverySettings()


@dataclass(frozen=True)
class Terms:
    """Everything about an assignment but its app, group and intent.

    Attributes:
        mode: Whether the group is meant or left out.
        filter: The name of a filter.
        filter_mode: Whether devices that it matches are meant or left out; None without a filter.
        start_at: Nothing of it happens earlier.
        deadline_at: When the device is to be as wanted.
        time_basis: With `LOCAL` both times are the reading of the device's own clock, kept as if that were UTC.
        settings: How the app comes to the devices.
    """

    mode: Mode = Mode.INCLUDE
    filter: str | None = None
    filter_mode: Mode | None = None
    start_at: datetime | None = None
    deadline_at: datetime | None = None
    time_basis: TimeBasis = TimeBasis.UTC
    settings: DeliverySettings = PLAIN_DELIVERY


def check_terms(intent: Intent, terms: Terms) -> None:
    """Refuse what contradicts itself.

    Raises:
        InputError: ASSIGNMENT_IMPOSSIBLE, with all that is wrong.
    """
    wrong = [*_wrong_with_exclusion(intent, terms), *_wrong_with_filter(terms), *_wrong_with_times(intent, terms)]
    if wrong:
        raise InputError(ErrorCode.ASSIGNMENT_IMPOSSIBLE, detail="; ".join(wrong))


def stored_time(given: datetime | None, basis: TimeBasis, *, place: str) -> datetime | None:
    """A time as it is kept, in UTC; one of the devices' own clocks as if it were.

    Raises:
        InputError: A local time names a zone, or the year is out of reach.
    """
    if given is None:
        return None
    if not _FIRST_YEAR <= given.year <= _LAST_YEAR:
        detail = f"expected a year from {_FIRST_YEAR} to {_LAST_YEAR}, found {given.year}"
        raise InputError(ErrorCode.TIME_INVALID, place=place, detail=detail)
    if given.tzinfo is None:
        return given.replace(tzinfo=UTC)
    if basis is TimeBasis.LOCAL:
        detail = f"expected no time zone, because it is each device's own; found {given.isoformat()}"
        raise InputError(ErrorCode.TIME_INVALID, place=place, detail=detail)
    return given.astimezone(UTC)


def shown_time(stored: datetime | None, basis: TimeBasis) -> datetime | None:
    """A time as people write it: without a zone where it is that of the device."""
    return stored.replace(tzinfo=None) if stored is not None and basis is TimeBasis.LOCAL else stored


def _wrong_with_exclusion(intent: Intent, terms: Terms) -> Iterator[str]:
    if terms.mode is Mode.INCLUDE:
        return
    if intent is not Intent.NOT_TARGETED:
        yield "an excluded group has no intent: exclusion wins over all of them"
    if terms.filter is not None:
        yield "an excluded group has no filter: leave out fewer devices with a group of their own"
    if terms.start_at is not None or terms.deadline_at is not None:
        yield "an excluded group has neither start nor deadline"
    if terms.settings != PLAIN_DELIVERY:
        yield "an excluded group has no settings of delivery: nothing is delivered to it"


def _wrong_with_filter(terms: Terms) -> Iterator[str]:
    if (terms.filter is None) != (terms.filter_mode is None):
        yield "a filter and whether it includes or excludes go together"


def _wrong_with_times(intent: Intent, terms: Terms) -> Iterator[str]:
    start, deadline = terms.start_at, terms.deadline_at
    if start is not None and deadline is not None and deadline <= start:
        yield f"the deadline {deadline.isoformat()} is not after the start {start.isoformat()}"
    if deadline is not None and intent is Intent.AVAILABLE:
        yield "an available app has no deadline: it comes when someone asks for it"
    if terms.time_basis is TimeBasis.LOCAL and start is None and deadline is None:
        yield "local time says nothing without a start or a deadline"
