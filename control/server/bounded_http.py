"""HTTP read by httptools, which by itself would take a head without end; bodies are bounded by `BodyLimits`."""

from typing import Final

from structlog import get_logger
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_log = get_logger(__name__)

#: Bytes of a request line with its headers, or of what stands between two pieces of a body, at most; beyond it what
#: the transport hands over at once is read.
MAX_HEAD_BYTES: Final = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection that sends more than `MAX_HEAD_BYTES` without a whole head or a piece of a body."""

    _bytes_of_no_body = 0

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._bytes_of_no_body += len(data)
        super().data_received(data)
        if self._bytes_of_no_body > MAX_HEAD_BYTES and not self.transport.is_closing():
            _log.warning("a request's head is too large", bytes=self._bytes_of_no_body)
            self.send_400_response("The request's head is too large.")

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._bytes_of_no_body = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body is here."""
        self._bytes_of_no_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._bytes_of_no_body = 0
        super().on_message_complete()
