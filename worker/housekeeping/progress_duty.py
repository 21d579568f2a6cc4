"""Sending progress in batches."""

import structlog

from contract.clock import Clock
from contract.errors import OutriderError
from contract.uplink import ProgressBatch
from worker.housekeeping.duty import NEVER
from worker.progress import MIN_INTERVAL_SECONDS, ProgressQueue
from worker.uplink.port import Uplink

_log = structlog.get_logger(__name__)


class ProgressDuty:
    """Sends what waits, at most every half second; what cannot be sent is dropped, newer progress follows."""

    def __init__(self, queue: ProgressQueue, uplink: Uplink, clock: Clock) -> None:
        self._queue = queue
        self._uplink = uplink
        self._clock = clock
        self._sent_at = float("-inf")

    def turn(self) -> float:
        """See `Duty.turn`."""
        if not self._queue:
            return NEVER
        left = self._sent_at + MIN_INTERVAL_SECONDS - self._clock.monotonic()
        if left > 0:
            return left
        self._sent_at = self._clock.monotonic()
        self._send()
        return NEVER

    def _send(self) -> None:
        try:
            self._uplink.progress(ProgressBatch(items=self._queue.drain()))
        except OutriderError as error:
            _log.debug("progress was dropped", error=str(error))
