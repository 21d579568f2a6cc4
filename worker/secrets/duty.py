"""Removing what killed agents left of secrets."""

from datetime import timedelta

from contract.clock import Clock
from worker.secrets.files import SecretFiles

INTERVAL_SECONDS = timedelta(hours=1).total_seconds()


class SweepingDuty:
    """At start and once an hour: an installer may outlive the agent that gave it secrets, and the next one, too."""

    def __init__(self, files: SecretFiles, clock: Clock) -> None:
        self._files = files
        self._clock = clock
        self._due = clock.monotonic()

    def turn(self) -> float:
        """See `Duty.turn`."""
        if self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + INTERVAL_SECONDS
            self._files.sweep()
        return self._due - self._clock.monotonic()
