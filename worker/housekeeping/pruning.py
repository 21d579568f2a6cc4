"""Forgetting what is old: ledger entries and the output of installers."""

from datetime import timedelta

import structlog

from contract.clock import Clock
from worker.folders import Folders
from worker.ledger.ledger import Ledger

_log = structlog.get_logger(__name__)

#: How long attempts, orders, waits that are over, and the output of installers are kept.
KEPT = timedelta(days=90)
INTERVAL_SECONDS = timedelta(days=1).total_seconds()


class PruningDuty:
    """Once a day and at start, so that a device that runs for years does not fill its disk."""

    def __init__(self, ledger: Ledger, folders: Folders, clock: Clock) -> None:
        self._ledger = ledger
        self._folders = folders
        self._clock = clock
        self._due = clock.monotonic()

    def turn(self) -> float:
        """See `Duty.turn`."""
        if self._clock.monotonic() >= self._due:
            self._due = self._clock.monotonic() + INTERVAL_SECONDS
            self._prune()
        return self._due - self._clock.monotonic()

    def _prune(self) -> None:
        before = self._clock.now() - KEPT
        self._ledger.attempts.prune(before)
        self._ledger.orders.prune(before)
        self._ledger.holds.prune(before)
        self._ledger.policies.prune()
        for log in self._folders.installer_logs.iterdir():
            if log.stat().st_mtime < before.timestamp():
                log.unlink()
                _log.info("old installer output was removed", place=log.name)
