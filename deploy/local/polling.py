"""Waiting for a condition of another process, which cannot wake us."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether `condition` came to hold within `seconds`; asked at once, then twenty times a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_PAUSE_SECONDS)
    return True
