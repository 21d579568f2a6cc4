"""What the agent's first thread is at, for the others to see."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from contract.clock import Clock
from contract.jobs import JobRef


class Activity:
    """Whether a phase runs right now, and for how long its attempt has been under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ref: JobRef | None = None
        self._since = 0.0
        self._is_busy = False

    @contextmanager
    def working_on(self, ref: JobRef) -> Iterator[None]:
        """A phase of the attempt runs within the block."""
        with self._lock:
            if ref != self._ref:
                self._ref, self._since = ref, self._clock.monotonic()
            self._is_busy = True
        try:
            yield
        finally:
            with self._lock:
                self._is_busy = False

    @property
    def is_busy(self) -> bool:
        """Whether a phase runs right now."""
        return self._is_busy

    @property
    def busy_since(self) -> float | None:
        """When the attempt whose phase runs was first seen, by the monotonic clock; None while nothing runs."""
        with self._lock:
            return self._since if self._is_busy else None
