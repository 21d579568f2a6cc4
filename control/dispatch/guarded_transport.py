"""kombu's transport over Redis or Valkey for queues that several workers take from, with a look at each message.

What is not let in is dropped before it counts as taken, so no worker puts it back.
"""

from collections.abc import Callable
from queue import Empty
from typing import Any, Final

from kombu.transport import redis as stock
from structlog import get_logger

from contract.queue_messages import unpacked

_log = get_logger(__name__)

#: What Celery's `broker_transport` setting calls this transport.
TRANSPORT_NAME: Final = "control.dispatch.guarded_transport:GuardedTransport"


class GuardedChannel(stock.Channel):
    """One connection's view of the queue."""

    #: Transport option: given a message, why it is not to be let in; None lets it in.
    refusal: Callable[[dict[str, Any]], str | None] | None = None

    #: Transport option: a message that is larger, as JSON, is not let in.
    most_bytes: int = 1024 * 1024

    #: Transport option: called for each message that is not let in.
    on_refused: Callable[[], None] | None = None

    from_transport_options = (*stock.Channel.from_transport_options, "refusal", "most_bytes", "on_refused")

    # The name is the base class's, which reads JSON here and stops at what is none.

    def _brpop_read(self, **options: Any) -> bool:
        try:
            taken = self.client.parse_response(self.client.connection, "BRPOP", **options)
        except self.connection_errors:
            self.client.connection.disconnect()
            raise
        finally:
            self._in_poll = None
        if not taken:
            raise Empty
        queue, raw = taken[0].decode(), taken[1]
        message = self._let_in(queue, raw)
        if message is not None:
            self.connection._deliver(message, queue)  # noqa: SLF001  as the base class does
        return True

    def _let_in(self, queue: str, raw: bytes) -> dict[str, Any] | None:
        try:
            message = unpacked(raw, most_bytes=self.most_bytes)
            reason = None if self.refusal is None else self.refusal(message)
        except ValueError as error:
            reason = str(error)
        if reason is None:
            return message
        _log.warning("a message was refused and dropped", queue=queue, size=len(raw), reason=reason)
        if self.on_refused is not None:
            self.on_refused()
        return None


class GuardedTransport(stock.Transport):
    """The transport; everything but the look at messages is the stock one's."""

    Channel = GuardedChannel
