"""Many devices' queues at one broker, over one connection, each read with its own device's rights.

Taking and acknowledging are the moving transport's: a message is in exactly one list at any time.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from redis import Redis
from redis._parsers import _RESP2Parser
from redis.exceptions import RedisError, ResponseError
from typing_extensions import override

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list
from worker.identity import Identity

_TIMEOUT_SECONDS = 30
#: Devices asked for in one round trip.
_BATCH = 500

_Command = tuple[str | bytes | int, ...]


class Message(NamedTuple):
    """What a device has taken from its queue.

    Attributes:
        device: Who, and so at which broker.
        raw: As it stood in the queue.
    """

    device: Identity
    raw: bytes


class _Parser(_RESP2Parser):
    """Takes a refusal, of a name or password too, for an answer like others: it concerns one of many devices."""

    @override
    @classmethod
    def parse_error(cls, response: str) -> ResponseError:
        return ResponseError(response)


class DeviceQueues:
    """A broker's end of a simulated fleet; used by one thread.

    Args:
        broker_url: Where it is. The connection itself is nobody's: each command is given in its device's name.

    Every method raises:
        UnavailableError: The broker does not answer; what was taken meanwhile is taken back at the next start.
    """

    def __init__(self, broker_url: str) -> None:
        redis = Redis.from_url(
            broker_url,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            protocol=2,
            driver_info=None,
            parser_class=_Parser,
        )
        # redis-py leaves its connections untyped.
        self._connection: Any = redis.connection_pool.make_connection()
        #: What is sent again and again to take messages: packing it costs more than all the rest.
        self._takes: dict[str, bytes] = {}

    def take_back(self, devices: Sequence[Identity]) -> list[Identity]:
        """What these had taken and not finished is to be taken again.

        Returns:
            Those whom the broker lets in.
        """
        let_in: list[Identity] = []
        left = list(devices)
        while left:
            moved = self._as_each(left, lambda queue: ("LMOVE", processing_list(queue), queue, "LEFT", "RIGHT"))
            replies = list(zip(left, moved, strict=True))
            let_in += [device for device, reply in replies if reply is None]
            left = [device for device, reply in replies if isinstance(reply, bytes)]
        return let_in

    def take(self, devices: Sequence[Identity]) -> list[Message]:
        """The oldest message of each device that has one."""
        found: list[Message] = []
        for start in range(0, len(devices), _BATCH):
            batch = devices[start : start + _BATCH]
            taken = self._exchange(b"".join(map(self._take_of, batch)), 2 * len(batch))[1::2]
            found += [Message(device, raw) for device, raw in zip(batch, taken, strict=True) if isinstance(raw, bytes)]
        return found

    def finish(self, messages: Iterable[Message]) -> None:
        """Acknowledge messages."""
        done = list(messages)
        raws = iter(raw for _, raw in done)
        self._as_each([device for device, _ in done], lambda queue: ("LREM", processing_list(queue), 1, next(raws)))

    def forget(self, device: Identity) -> None:
        """It will not take from here any more."""
        self._takes.pop(device.device_id, None)

    def close(self) -> None:
        """End the connection."""
        self._connection.disconnect()

    def _as_each(self, devices: Sequence[Identity], command: Callable[[str], _Command]) -> list[object]:
        """One command for each device, as that device's user."""
        replies: list[object] = []
        for start in range(0, len(devices), _BATCH):
            batch = devices[start : start + _BATCH]
            packed = [self._pack(device, command(device_queue(device.device_id))) for device in batch]
            replies += self._exchange(b"".join(packed), 2 * len(batch))[1::2]
        return replies

    def _take_of(self, device: Identity) -> bytes:
        packed = self._takes.get(device.device_id)
        if packed is None:
            queue = device_queue(device.device_id)
            packed = self._pack(device, ("LMOVE", queue, processing_list(queue), "RIGHT", "LEFT"))
            self._takes[device.device_id] = packed
        return packed

    def _pack(self, device: Identity, command: _Command) -> bytes:
        """A command in the device's name, as it is sent; two are answered."""
        commands = (("AUTH", device.broker_user, device.broker_secret), command)
        return b"".join(self._connection.pack_commands(commands))

    def _exchange(self, packed: bytes, replies: int) -> list[object]:
        try:
            self._connection.send_packed_command([packed])
            return [self._reply() for _ in range(replies)]
        except RedisError as error:
            self._connection.disconnect()
            raise UnavailableError(ErrorCode.BROKER_UNAVAILABLE, detail=str(error)) from error

    def _reply(self) -> object:
        try:
            return self._connection.read_response()
        except ResponseError as error:
            # A device that was retired meanwhile has no rights any more; the others go on.
            return error
