"""Noticing that the clock was set back (docs/reliability.md, "Clocks")."""

from contract.clock import Clock
from worker.ledger.ledger import Ledger

#: From one look to the next: so much longer than stated a wait may last after a clock was set back.
INTERVAL_SECONDS = 60.0


class ClockDuty:
    """Lets waits that by the clock have not begun yet begin now, in what is remembered and in what is shown."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._due = clock.monotonic()

    def turn(self) -> float:
        """See `Duty.turn`."""
        if self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + INTERVAL_SECONDS
            now = self._clock.now()
            self._ledger.holds.put_right(now=now)
            self._ledger.apps.put_right(now=now)
            self._ledger.restarts.put_right(now=now)
        return self._due - self._clock.monotonic()
