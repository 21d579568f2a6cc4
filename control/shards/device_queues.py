"""The queues of devices at one shard, as whoever moves them sees them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from redis import Redis
from redis.exceptions import RedisError

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list

_TIMEOUT_SECONDS: Final = 5

#: Messages by device, in the order of the lists: the one that is taken next is the last.
Messages = Mapping[str, Sequence[bytes]]


class DeviceQueues(Protocol):
    """What waits for devices, and what they have taken and not finished.

    Every method raises:
        UnavailableError: The broker does not answer.
    """

    def contents(self, device_ids: Sequence[str]) -> Messages:
        """All messages of those devices that have any; what was taken comes last, to be taken first again."""
        ...

    def put_first(self, messages: Messages) -> None:
        """Have these messages taken before all others; those that are there already stay where they are."""
        ...

    def drop(self, messages: Messages) -> None:
        """Take exactly these messages away; those that are not there are fine."""
        ...


class RedisDeviceQueues:
    """`DeviceQueues` of a Redis or Valkey."""

    def __init__(self, broker_url: str) -> None:
        self._redis: Redis = Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )

    def contents(self, device_ids: Sequence[str]) -> Messages:
        """Two LRANGE a device, in one round trip."""
        with self._pipeline() as pipe:
            for device_id in device_ids:
                for key in _keys(device_id):
                    pipe.lrange(key, 0, -1)
            lists = pipe.execute()
        both = zip(device_ids, lists[::2], lists[1::2], strict=True)
        return {device_id: [*waiting, *taken] for device_id, waiting, taken in both if waiting or taken}

    def put_first(self, messages: Messages) -> None:
        """RPUSH of what LPOS finds neither in the queue nor in the processing list."""
        missing = self._missing(messages)
        with self._pipeline() as pipe:
            for device_id, raws in missing.items():
                pipe.rpush(device_queue(device_id), *raws)
            pipe.execute()

    def drop(self, messages: Messages) -> None:
        """LREM of each."""
        with self._pipeline() as pipe:
            for device_id, raws in messages.items():
                for key in _keys(device_id):
                    for raw in raws:
                        pipe.lrem(key, 1, raw)
            pipe.execute()

    def _missing(self, messages: Messages) -> dict[str, list[bytes]]:
        pairs = [(device_id, raw) for device_id, raws in messages.items() for raw in raws]
        with self._pipeline() as pipe:
            for device_id, raw in pairs:
                for key in _keys(device_id):
                    pipe.lpos(key, raw)
            found = pipe.execute()
        missing: dict[str, list[bytes]] = {}
        for (device_id, raw), waits, taken in zip(pairs, found[::2], found[1::2], strict=True):
            if waits is None and taken is None:
                missing.setdefault(device_id, []).append(raw)
        return missing

    @contextmanager
    def _pipeline(self) -> Iterator[Any]:
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                yield pipe
        except RedisError as error:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error


def _keys(device_id: str) -> tuple[str, str]:
    queue = device_queue(device_id)
    return queue, processing_list(queue)
