"""Delivering reports that wait in the outbox."""

from datetime import datetime, timedelta

import structlog

from contract.clock import Clock
from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from worker.housekeeping.duty import NEVER
from worker.ledger.outbox import Outbox, Undelivered
from worker.rules.backoff import LONGEST_WAIT_SECONDS, growing_wait
from worker.uplink.port import Uplink

_log = structlog.get_logger(__name__)


class DeliveryDuty:
    """Delivers what is due, one report after the other, each with a growing wait of its own after a failure."""

    def __init__(self, outbox: Outbox, uplink: Uplink, clock: Clock) -> None:
        self._outbox = outbox
        self._uplink = uplink
        self._clock = clock

    def turn(self) -> float:
        """See `Duty.turn`."""
        for waiting in self._outbox.waiting():
            if self._seconds_until(waiting.due_at) == 0:
                self._deliver(waiting)
        rest = self._outbox.waiting()
        return self._seconds_until(rest[0].due_at) if rest else NEVER

    def _deliver(self, waiting: Undelivered) -> None:
        try:
            self._uplink.report(waiting.report)
        except OutriderError as error:
            self._failed(waiting, error)
            return
        self._outbox.remove(waiting.report)
        _log.info("a report was delivered", job=waiting.report.job_id, attempt=waiting.report.attempt)

    def _failed(self, waiting: Undelivered, error: OutriderError) -> None:
        if error.code is ErrorCode.UNKNOWN_JOB:
            # The job is gone for good; nobody will ever take this report.
            self._outbox.remove(waiting.report)
            _log.warning("a report was dropped", job=waiting.report.job_id, error=str(error))
            return
        wait_seconds = growing_wait(waiting.tries + 1)
        self._outbox.postpone(waiting.report, due_at=self._clock.now() + timedelta(seconds=wait_seconds))
        _log.warning("a report waits", job=waiting.report.job_id, error=str(error), wait_seconds=wait_seconds)

    def _seconds_until(self, due_at: datetime) -> float:
        # A clock that was set back must not hold a report for longer than the longest wait.
        return min(max(0.0, (due_at - self._clock.now()).total_seconds()), LONGEST_WAIT_SECONDS)
