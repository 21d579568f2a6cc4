"""Nonces of devices' requests: each is good once, in all processes of the API together.

They stand in the broker, which forgets them by itself: one small write a request, no round trip for each of those that
arrive together, and no write to the database for a device that only asks. While the broker does not answer each process
remembers for itself: a device must be able to report when the broker is away, and every request is idempotent by its
content besides.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from threading import Lock
from typing import Final, Protocol

from redis import Redis
from redis.exceptions import RedisError
from structlog import get_logger

from contract.clock import Clock
from contract.queues import nonce_key
from control.grouped_calls import GroupedCalls

_log = get_logger(__name__)

_TIMEOUT_SECONDS: Final = 0.5
#: After a broker that did not answer it is left alone for so long: each try would delay a device's request.
_PAUSE_SECONDS: Final = 5.0
#: What one process remembers at most by itself: about 100 bytes each.
_CAPACITY: Final = 200_000

#: A nonce's key in the broker, and for how long it is kept there.
_Kept = tuple[str, timedelta]


class NonceMemory(Protocol):
    """Remembers nonces for as long as a request with them could be sent again."""

    async def is_new(self, device_id: str, nonce: str, lifetime: timedelta) -> bool:
        """Whether the device never used the nonce; it counts as used from now on."""
        ...


class ProcessNonces:
    """A `NonceMemory` of one process; the oldest is forgotten when it is full."""

    def __init__(self, clock: Clock, capacity: int = _CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._used: OrderedDict[str, float] = OrderedDict()
        self._lock = Lock()

    async def is_new(self, device_id: str, nonce: str, lifetime: timedelta) -> bool:
        """See `NonceMemory.is_new`."""
        return self.note(_key(device_id, nonce), lifetime)

    def note(self, key: str, lifetime: timedelta) -> bool:
        """Whether the nonce with this key is new; it counts as used from now on."""
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now)
            if key in self._used:
                return False
            self._used[key] = now + lifetime.total_seconds()
            return True

    def _forget(self, now: float) -> None:
        while self._used and (next(iter(self._used.values())) <= now or len(self._used) >= self._capacity):
            self._used.popitem(last=False)


class BrokerNonces:
    """A `NonceMemory` that all processes share."""

    def __init__(self, broker_url: str, clock: Clock) -> None:
        self._redis: Redis = Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )
        self._clock = clock
        self._own = ProcessNonces(clock)
        self._calls = GroupedCalls("nonces", self._are_new, self._is_new)
        self._asked_again_at = 0.0

    async def is_new(self, device_id: str, nonce: str, lifetime: timedelta) -> bool:
        """See `NonceMemory.is_new`."""
        key = _key(device_id, nonce)
        if not self._own.note(key, lifetime):
            return False
        if self._clock.monotonic() < self._asked_again_at:
            return True
        return await self._calls.call((key, lifetime))

    def _is_new(self, kept: _Kept) -> bool:
        return self._are_new([kept])[0]

    def _are_new(self, kept: Sequence[_Kept]) -> list[bool]:
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                for key, lifetime in kept:
                    pipe.set(key, b"", nx=True, px=lifetime)
                return [bool(is_set) for is_set in pipe.execute()]
        except RedisError as error:
            self._asked_again_at = self._clock.monotonic() + _PAUSE_SECONDS
            _log.warning("nonces are remembered by this process alone for now", error=type(error).__name__)
            return [True] * len(kept)


def _key(device_id: str, nonce: str) -> str:
    """Of one size, whatever a device sends as its nonce."""
    return nonce_key(hashlib.sha256(f"{device_id}\0{nonce}".encode()).hexdigest())
