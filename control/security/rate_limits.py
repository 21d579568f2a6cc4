"""How many requests a device may send: a token bucket for each, in each process of the API."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from contract.clock import Clock

#: Devices remembered at most; the one that was silent longest is forgotten, and its bucket is full again.
_CAPACITY: Final = 200_000


@dataclass(frozen=True)
class Rate:
    """What a device may send.

    Attributes:
        per_second: Requests a second, in the long run.
        burst: Requests at once after a silence.
    """

    per_second: float
    burst: float


@dataclass(frozen=True)
class Bucket:
    """What a device has left.

    Attributes:
        tokens: Requests it may send at once.
        at: When that was so, on the monotonic clock.
    """

    tokens: float
    at: float

    def after(self, now: float, rate: Rate) -> "Bucket":
        """The bucket later on, filled up by what time brought."""
        return Bucket(min(rate.burst, self.tokens + (now - self.at) * rate.per_second), now)


class RateLimiter:
    """Counts the requests of each device."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = Lock()

    def wait_seconds(self, device_id: str) -> float:
        """Take one request off the device's bucket.

        Returns:
            0 where it may be served, else after how many seconds the next one may come.
        """
        now = self._clock.monotonic()
        with self._lock:
            bucket = self._buckets.pop(device_id, Bucket(self._rate.burst, now)).after(now, self._rate)
            served = bucket.tokens >= 1
            self._buckets[device_id] = Bucket(bucket.tokens - 1, now) if served else bucket
            if len(self._buckets) > _CAPACITY:
                self._buckets.popitem(last=False)
        return 0.0 if served else (1 - bucket.tokens) / self._rate.per_second
