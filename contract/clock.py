"""Time is asked for, never taken: 24 hours must test in milliseconds."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where both sides get the time from."""

    def now(self) -> datetime:
        """The wall clock, in UTC, with its zone."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary point that never go back; for durations."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The wall clock, in UTC, with its zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary point that never go back; for durations."""
        return time.monotonic()


class ManualClock:
    """A clock that moves when told; ships with the product so that rules about days test in milliseconds."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._elapsed = 0.0

    def now(self) -> datetime:
        """The time it was set to, plus all advances."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed

    def advance(self, by: timedelta) -> None:
        """Let `by` pass."""
        self._now += by
        self._elapsed += by.total_seconds()

    def jump(self, by: timedelta) -> None:
        """Set the wall clock forward, or back by a negative `by`; no time passes."""
        self._now += by
