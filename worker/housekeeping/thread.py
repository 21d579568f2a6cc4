"""The agent's second thread."""

import threading
from collections.abc import Sequence

import structlog

from worker.housekeeping.duty import NEVER, Duty

_log = structlog.get_logger(__name__)

#: After a defect in a duty, so that it does not fill the log.
_AFTER_DEFECT_SECONDS = 60.0
#: How long a stopping agent waits for what the thread is just sending.
_JOIN_SECONDS = 5.0


class HousekeepingThread:
    """Gives each duty its turn when it is due or when woken; sleeps otherwise."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something came up."""
        self._woken.set()

    def stop(self) -> None:
        """Give each duty a last turn and end."""
        self._stopping = True
        self._woken.set()
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            seconds = self._turn()
            self._woken.wait(None if seconds == NEVER else seconds)
            self._woken.clear()
        self._turn()

    def _turn(self) -> float:
        return min((self._turn_of(duty) for duty in self._duties), default=NEVER)

    def _turn_of(self, duty: Duty) -> float:
        try:
            return duty.turn()
        except Exception:  # noqa: BLE001  a defect in one duty must not end the others
            _log.exception("a duty failed unexpectedly")
            return _AFTER_DEFECT_SECONDS
