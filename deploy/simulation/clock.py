"""A device's clock that can be ahead: what takes time on a real device is skipped at once, then waited for."""

import time
from datetime import UTC, datetime, timedelta


class SkippingClock:
    """The machine's clock, except that it stands still after a skip until the machine's has caught up."""

    def __init__(self) -> None:
        self._began_at = datetime.now(UTC)
        self._began = time.monotonic()
        self._reached = self._began

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._began_at + timedelta(seconds=self.monotonic() - self._began)

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return max(time.monotonic(), self._reached)

    def skip(self, seconds: float) -> None:
        """Let so many seconds have passed, for the device."""
        self._reached = self.monotonic() + seconds

    def behind(self) -> float:
        """Seconds until the machine's clock has caught up."""
        return max(0.0, self._reached - time.monotonic())
