"""Look into the devices' queues in Redis or Valkey."""

from collections.abc import Collection

from redis import Redis
from redis.exceptions import RedisError

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list

_TIMEOUT_SECONDS = 5
#: Devices asked about in one round trip.
_BATCH = 500


class RedisQueueInspector:
    """Counts what the broker holds for devices."""

    def __init__(self, broker_url: str) -> None:
        self._redis: Redis = Redis.from_url(
            broker_url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )

    def without_messages(self, device_ids: Collection[str]) -> frozenset[str]:
        """See `QueueInspector.without_messages`."""
        ids = sorted(device_ids)
        empty: set[str] = set()
        try:
            for start in range(0, len(ids), _BATCH):
                empty |= self._empty(ids[start : start + _BATCH])
        except RedisError as error:
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error
        return frozenset(empty)

    def _empty(self, ids: list[str]) -> set[str]:
        # One transaction: a message that moves between its two lists is in exactly one of them.
        with self._redis.pipeline(transaction=True) as pipe:
            for device_id in ids:
                queue = device_queue(device_id)
                pipe.llen(queue)
                pipe.llen(processing_list(queue))
            counts = pipe.execute()
        pairs = zip(ids, counts[::2], counts[1::2], strict=True)
        return {device_id for device_id, waiting, taken in pairs if waiting == taken == 0}
