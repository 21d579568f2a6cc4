"""A kombu transport over Redis or Valkey that moves a message instead of popping it.

The stock transport takes a message off the queue and only then writes it down as unacknowledged: killed between the
two, it loses the message. What it did write down comes back after a visibility timeout, and a countdown longer than
that timeout is delivered twice. Here a message is in exactly one list at any time, and no timeout exists:

    send         LPUSH  queue
    take         BLMOVE queue -> processing.<queue>
    acknowledge  LREM   processing.<queue>
    start        LMOVE  processing.<queue> -> queue, until it is empty; the oldest is taken first again

A queue has one consuming process at a time, and that process takes one queue: a device its own. It needs two
connections: one that waits for messages, and one for everything else, whichever channel sends it.
"""

from collections.abc import Callable
from queue import Empty
from time import monotonic
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from kombu.transport import redis as stock
from kombu.transport import virtual
from structlog import get_logger

from contract.queue_messages import packed, unpacked
from contract.queues import processing_list

_log = get_logger(__name__)

#: What Celery's `broker_transport` setting calls this transport.
TRANSPORT_NAME = "contract.moving_transport:MovingTransport"

_TAKE = "BLMOVE"

#: Messages this process has finished but could not acknowledge because the connection was lost, by processing list.
#: They outlive the channel on purpose: the next channel must remove them and not run them again.
_finished: dict[str, set[bytes]] = {}

#: The connections for what does not wait, by broker and user; each lives as long as a channel uses it.
_shared_pools: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()


class MovingQoS(virtual.QoS):
    """Acknowledges by removing the message from the processing list."""

    #: What is unacknowledged at shutdown stays where it is: the next start takes it back.
    restore_at_shutdown = False

    channel: "MovingChannel"

    def ack(self, delivery_tag: str) -> None:
        """The message is done with, also where the broker cannot be told now."""
        try:
            self.channel.finish(delivery_tag)
        finally:
            # Otherwise it would count as being worked on, and nothing more would ever be taken.
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The message is not wanted; with `requeue` it is to be taken again, before all others."""
        try:
            if requeue:
                self.channel.give_back(delivery_tag)
            else:
                self.channel.finish(delivery_tag)
        finally:
            super().ack(delivery_tag)


class MovingChannel(stock.Channel):
    """One connection's view of the queue and its processing list."""

    QoS = MovingQoS
    priority_steps: ClassVar[list[int]] = [0]

    #: Transport option: seconds a command may take that does not wait for a message; `socket_timeout` holds for reads.
    command_timeout: float | None = None

    #: Transport option: changes a message that was taken, before anything acts on it.
    amend: Callable[[dict[str, Any]], None] | None = None

    #: Transport option: given a message, why it is not to be let in; None lets it in.
    refusal: Callable[[dict[str, Any]], str | None] | None = None

    #: Transport option: a message that is larger, as JSON, is not let in.
    most_bytes: int = 1024 * 1024

    #: Transport option: called for each message that is not let in.
    on_refused: Callable[[], None] | None = None

    #: Transport option: how many messages this process holds until their time; more of those are not let in, because
    #: each takes memory. The first ones stay.
    most_waiting: int | None = None

    _in_poll: Any = None
    _sender: Any = None

    from_transport_options = (
        *stock.Channel.from_transport_options,
        "refusal",
        "most_bytes",
        "on_refused",
        "most_waiting",
        "command_timeout",
        "amend",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken: dict[str, bytes] = {}
        self._is_unanswered = False
        self._queue = ""
        # The base class has just tried the connection that waits for messages; a channel that takes none needs none.
        self.async_pool.disconnect()

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> Any:
        """Consume a queue; first take back what an earlier process, or connection, had taken and not finished."""
        if queue not in self._fanout_queues:
            self._queue = queue
            self._take_back()
        return super().basic_consume(queue, *args, **kwargs)

    def close(self) -> None:
        """Close without waiting for the read in progress: what it may still take is taken back at the next start."""
        if self._in_poll:
            self.client.connection.disconnect()
            self._in_poll = None
        super().close()

    def _get_pool(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._get_pool(asynchronous=True)
        broker = self.connection.client
        where = (broker.hostname, broker.port, broker.virtual_host, broker.userid, broker.password)
        pool = _shared_pools.get(where)
        if pool is None:
            pool = _shared_pools[where] = super()._get_pool()
        return pool

    def _create_client(self, asynchronous: bool = False) -> Any:
        """One client for each pool: making one costs more than most commands."""
        if asynchronous:
            return super()._create_client(asynchronous=True)
        if self._sender is None or self._sender.connection_pool is not self.pool:
            self._sender = super()._create_client()
        return self._sender

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        params: dict[str, Any] = super()._connparams(asynchronous=asynchronous)
        if not asynchronous and self.command_timeout is not None:
            params["socket_timeout"] = self.command_timeout
        return params

    def _disconnect_pools(self) -> None:
        # Other channels use it, too; a broken connection in it is made anew when it is next asked for.
        self._pool = self._sender = None
        super()._disconnect_pools()

    def finish(self, delivery_tag: str) -> None:
        """Remove a message for good; a lost connection only delays that until the next one."""
        raw = self._taken.pop(delivery_tag, None)
        if raw is None:
            return
        unacknowledged = _finished.setdefault(processing_list(self._queue), set())
        unacknowledged.add(raw)
        with self.conn_or_acquire() as client:
            client.lrem(processing_list(self._queue), 1, raw)
        unacknowledged.discard(raw)

    def give_back(self, delivery_tag: str) -> None:
        """Put a message back to where it is taken next."""
        raw = self._taken.pop(delivery_tag)
        with self.conn_or_acquire() as client, client.pipeline() as pipe:
            pipe.rpush(self._queue, raw).lrem(processing_list(self._queue), 1, raw).execute()

    def _put(self, queue: str, message: dict[str, Any], **_options: Any) -> None:
        with self.conn_or_acquire() as client:
            client.lpush(queue, packed(message))

    def _take_back(self) -> None:
        processing = processing_list(self._queue)
        finished = _finished.get(processing, set())
        with self.conn_or_acquire() as client:
            for raw in list(finished):
                client.lrem(processing, 1, raw)
                finished.discard(raw)
            while client.lmove(processing, self._queue, "LEFT", "RIGHT") is not None:
                pass

    # The two halves of a blocking read; the names are the base class's.

    def _brpop_start(self, timeout: float | None = None) -> None:
        if not self.active_queues:
            return
        if self._is_unanswered:
            # The last read's connection was silent for so long that it was dropped. What that read moved meanwhile
            # nobody here has seen: as after any lost connection, the consumer has to begin anew and take it back.
            raise ConnectionError("the last read was never answered")
        self._is_unanswered = True
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()
        wait = self.brpop_timeout if timeout is None else timeout
        self.client.connection.send_command(
            _TAKE, self._queue, processing_list(self._queue), "RIGHT", "LEFT", wait or 0
        )

    def _brpop_read(self, **options: Any) -> bool:
        try:
            raw = self._read_reply(**options)
        finally:
            self._in_poll = None
        if raw is None:
            raise Empty
        try:
            message = unpacked(raw, most_bytes=self.most_bytes)
        except ValueError as error:
            self._drop(raw, str(error))
            return True
        if (reason := self._refusal(message)) is not None:
            self._drop(raw, reason)
            return True
        self._taken[message["properties"]["delivery_tag"]] = raw
        if self.amend is not None:
            self.amend(message)
        self.connection._deliver(message, self._queue)  # noqa: SLF001  # as the base class does
        return True

    def _refusal(self, message: dict[str, Any]) -> str | None:
        reason = None if self.refusal is None else self.refusal(message)
        if reason is None and self._waits_in_vain(message):
            reason = f"{len(self._taken)} messages wait already"
        return reason

    def _waits_in_vain(self, message: dict[str, Any]) -> bool:
        if self.most_waiting is None or len(self._taken) < self.most_waiting:
            return False
        return message["headers"].get("eta") is not None

    def _read_reply(self, **options: Any) -> bytes | None:
        try:
            reply: bytes | None = self.client.parse_response(self.client.connection, _TAKE, **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        self._is_unanswered = False
        return reply

    def _drop(self, raw: bytes, reason: str) -> None:
        _log.warning("a message was refused and dropped", queue=self._queue, size=len(raw), reason=reason)
        if self.on_refused is not None:
            self.on_refused()
        with self.conn_or_acquire() as client:
            client.lrem(processing_list(self._queue), 1, raw)


class MovingTransport(stock.Transport):
    """The transport; everything but taking and acknowledging is the stock one's."""

    Channel = MovingChannel
