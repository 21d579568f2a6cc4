"""A thread of the API that does every few seconds what is left to do about the broker's users: the API alone may."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from structlog import get_logger

from contract.errors import UnavailableError

_log = get_logger(__name__)

#: The broker writes the users of the whole fleet at a step, and does nothing else meanwhile. A step is followed by a
#: rest of so many times its length, but never of more than so many seconds.
_REST: Final = 20
_LONGEST_REST_SECONDS: Final = 15.0


class BrokerUpkeep:
    """Does something again and again until it is stopped; what fails is tried again.

    Args:
        duty: What it does, in the words of the log: `retired devices were shut out`.
        step: Does it, and tells for how many devices.
        interval_seconds: Between two steps, at least.
    """

    def __init__(self, duty: str, step: Callable[[], int], interval_seconds: float) -> None:
        self._duty = duty
        self._step = step
        self._interval_seconds = interval_seconds
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=duty, daemon=True)

    def start(self) -> None:
        """Begin; the first step comes after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """End; a step that has begun is finished first."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        rest_seconds = self._interval_seconds
        while not self._stopped.wait(rest_seconds):
            begun = time.monotonic()
            self._do()
            long_rest = min(_LONGEST_REST_SECONDS, (time.monotonic() - begun) * _REST)
            rest_seconds = max(self._interval_seconds, long_rest)

    def _do(self) -> None:
        try:
            done = self._step()
        except UnavailableError as error:
            _log.warning("the broker's users are not up to date", yet_to_do=self._duty, error=str(error))
        except Exception:  # noqa: BLE001  the thread lives as long as its process
            _log.exception("upkeep of the broker's users failed; it is tried again", yet_to_do=self._duty)
        else:
            if done:
                _log.info(self._duty, devices=done)
