"""The control plane asked for less: nothing is sent until it wants to hear more."""

from contract.errors import RateLimitedError


class Pause:
    """A time, on the monotonic clock, before which nothing is to be sent."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self, now: float, seconds: float) -> None:
        """Send nothing for so long."""
        self._until = now + seconds

    def check(self, now: float) -> None:
        """Do nothing where sending is fine.

        Raises:
            RateLimitedError: It is not yet.
        """
        if now < self._until:
            raise RateLimitedError(self._until - now, detail="the control plane asked this device to wait")
