"""Sending progress in batches."""

import structlog

from contract.clock import Clock
from contract.errors import OutriderError
from contract.uplink import ProgressBatch
from worker.housekeeping.duty import NEVER
from worker.progress import INTERVAL_SECONDS, ProgressQueue
from worker.uplink.port import Uplink

_log = structlog.get_logger(__name__)


#: From a failed try to the next.
AGAIN_SECONDS = 30.0


class ProgressDuty:
    """Sends progress, at most once a second; what cannot be sent is dropped, newer progress follows.

    A wait is kept until it is told: nothing newer follows it for as long as it lasts.
    """

    def __init__(self, queue: ProgressQueue, uplink: Uplink, clock: Clock) -> None:
        self._queue = queue
        self._uplink = uplink
        self._clock = clock
        self._sent_at = float("-inf")

    def turn(self) -> float:
        """See `Duty.turn`."""
        due_at = self._queue.due_at()
        if due_at is None:
            return NEVER
        left = max(due_at, self._sent_at + INTERVAL_SECONDS) - self._clock.monotonic()
        if left > 0:
            return left
        self._sent_at = self._clock.monotonic()
        self._send()
        return AGAIN_SECONDS if self._queue else NEVER

    def _send(self) -> None:
        items = self._queue.drain()
        try:
            self._uplink.progress(ProgressBatch(items=items))
        except OutriderError as error:
            self._queue.put_back(item for item in items if item.waiting is not None)
            self._sent_at += AGAIN_SECONDS
            _log.debug("progress was dropped", error=str(error))
