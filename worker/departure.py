"""Leaving in time when the agent is told to stop (SIGTERM), whatever it is at.

The phase in progress is finished first, for so long; then the process ends as it stands. That is safe because it is
what a power cut does: the ledger knows each phase, an installer lives on in its own session and is found again, a
message that was not acknowledged is taken again at the next start.
"""

import os
import threading
from collections.abc import Callable
from enum import Enum

import structlog

from contract.clock import Clock
from contract.exit_statuses import ExitStatus
from worker.activity import Activity

_log = structlog.get_logger(__name__)

#: How long an agent that is at no phase may take to end by itself; a hand-over to a broker that is away takes longer.
IDLE_LIMIT_SECONDS = 10.0
_LOOK_SECONDS = 0.2


class _Verdict(Enum):
    STAY = "stay"
    IDLE = "nothing is in progress, yet the agent did not end by itself"
    LIMIT = "the phase in progress takes longer than a stop may take; it is gone on with after the next start"
    AGAIN = "told to stop a second time"
    OFF = "it was called off"


class Departure:
    """Ends the process when its time is up; the process may well end by itself before that.

    Args:
        activity: What the first thread is at.
        clock: For durations.
        limit_seconds: How long the phase in progress may take to finish.
        end: Ends the process at once.
    """

    def __init__(
        self, activity: Activity, clock: Clock, *, limit_seconds: float, end: Callable[[int], object] = os._exit
    ) -> None:
        self._activity = activity
        self._clock = clock
        self._limit_seconds = limit_seconds
        self._end = end
        self._again = threading.Event()
        self._off = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Told to stop; told a second time, at once."""
        if self._thread is not None:
            self._again.set()
            return
        self._thread = threading.Thread(target=self._watch, name="departure", daemon=True)
        self._thread.start()

    def call_off(self) -> None:
        """The process is to go on after all."""
        self._off.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        begun = idle_since = self._clock.monotonic()
        verdict = _Verdict.STAY
        while verdict is _Verdict.STAY:
            self._again.wait(_LOOK_SECONDS)
            now = self._clock.monotonic()
            if self._activity.is_busy:
                idle_since = now
            verdict = self._judge(now - begun, now - idle_since)
        if verdict is _Verdict.OFF:
            return
        _log.warning("the agent ends now", reason=verdict.value)
        self._end(ExitStatus.OK)

    def _judge(self, since_asked: float, idle: float) -> _Verdict:
        if self._off.is_set():
            return _Verdict.OFF
        if self._again.is_set():
            return _Verdict.AGAIN
        if since_asked >= self._limit_seconds:
            return _Verdict.LIMIT
        return _Verdict.IDLE if idle >= IDLE_LIMIT_SECONDS else _Verdict.STAY
