"""Many devices' queues over one connection, each read with its own device's rights.

Taking and acknowledging are the moving transport's: a message is in exactly one list at any time.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list
from worker.identity import Identity

_TIMEOUT_SECONDS = 30
#: Devices asked for in one round trip.
_BATCH = 500

_Command = tuple[str | bytes | int, ...]


class DeviceQueues:
    """The broker's end of a simulated fleet; used by one thread.

    Args:
        first: Any of the devices: a connection is made in somebody's name.

    Every method raises:
        UnavailableError: The broker does not answer; what was taken meanwhile is taken back at the next start.
    """

    def __init__(self, first: Identity) -> None:
        redis = Redis.from_url(
            first.broker_url,
            username=first.broker_user,
            password=first.broker_secret,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            protocol=2,
        )
        # redis-py leaves its connections untyped.
        self._connection: Any = redis.connection_pool.make_connection()

    def take_back(self, devices: Sequence[Identity]) -> None:
        """What an earlier simulation had taken and not finished is to be taken again."""
        left = list(devices)
        while left:
            moved = self._as_each(left, lambda queue: ("LMOVE", processing_list(queue), queue, "LEFT", "RIGHT"))
            left = [device for device, reply in zip(left, moved, strict=True) if reply is not None]

    def take(self, devices: Sequence[Identity]) -> list[tuple[Identity, bytes]]:
        """The oldest message of each device that has one."""
        taken = self._as_each(devices, lambda queue: ("LMOVE", queue, processing_list(queue), "RIGHT", "LEFT"))
        return [(device, raw) for device, raw in zip(devices, taken, strict=True) if isinstance(raw, bytes)]

    def finish(self, messages: Iterable[tuple[Identity, bytes]]) -> None:
        """Acknowledge messages."""
        done = list(messages)
        raws = iter(raw for _, raw in done)
        self._as_each([device for device, _ in done], lambda queue: ("LREM", processing_list(queue), 1, next(raws)))

    def close(self) -> None:
        """End the connection."""
        self._connection.disconnect()

    def _as_each(self, devices: Sequence[Identity], command: Callable[[str], _Command]) -> list[object]:
        """One command for each device, as that device's user."""
        replies: list[object] = []
        for start in range(0, len(devices), _BATCH):
            batch = devices[start : start + _BATCH]
            commands: list[_Command] = []
            for device in batch:
                commands.append(("AUTH", device.broker_user, device.broker_secret))
                commands.append(command(device_queue(device.device_id)))
            replies += self._exchange(commands)[1::2]
        return replies

    def _exchange(self, commands: Sequence[_Command]) -> list[object]:
        try:
            self._connection.send_packed_command(self._connection.pack_commands(commands))
            return [self._reply() for _ in commands]
        except RedisError as error:
            self._connection.disconnect()
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error

    def _reply(self) -> object:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            # A device that was retired meanwhile has no rights any more; the others go on.
            return error
