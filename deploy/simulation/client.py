"""An HTTP client of many devices that does no more for a request than it takes, and counts.

httpx's own spends three times as much: on cookies, redirects, authentication and a pool, of which a device uses none.
"""

import re
import select
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from pathlib import Path
from typing import Any

import httpx
from typing_extensions import override

from contract.secure_addresses import tls_context
from deploy.simulation.standing import Standing
from worker.settings import AgentSettings

_CHUNK_BYTES = 64 * 1024
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Where all paths of the control plane begin; others are the content store's.
_OURS = "/v1/"
#: What a request to the content store is called.
CONTENT = "GET content"


@dataclass
class Traffic:
    """What was sent and received.

    Attributes:
        requests: By what they ask for, such as `POST /v1/device/reports`; those that were refused are left out.
        refused: How many were answered with 400 or more, by status.
        bytes_sent: In bodies.
        bytes_received: In bodies.
    """

    requests: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    bytes_sent: int = 0
    bytes_received: int = 0

    def note(self, request: httpx.Request, status: int) -> None:
        """A request was answered."""
        self.bytes_sent += len(request.content)
        if status >= HTTPStatus.BAD_REQUEST:
            self.refused[status] += 1
            return
        path = request.url.path
        self.requests[f"{request.method} {_ID.sub('{id}', path)}" if path.startswith(_OURS) else CONTENT] += 1

    def standing(self) -> Standing:
        """The same, to be added to that of others; any thread may ask."""
        return Standing(
            requests=Counter(dict(self.requests)),
            refused=Counter(dict(self.refused)),
            bytes_sent=self.bytes_sent,
            bytes_received=self.bytes_received,
        )


class DeviceClient(httpx.Client):
    """A client with the agent's time limits for one thread; a connection to each address, made anew where it was cut.

    Args:
        base_url: The control plane's.

    Attributes:
        traffic: All that went through it.
    """

    def __init__(self, base_url: str) -> None:
        self.traffic = Traffic()
        self._prefix = base_url.rstrip("/")
        self._connections = _Connections(self.traffic)
        super().__init__(base_url=base_url, transport=self._connections, trust_env=False)

    @override
    def build_request(self, method: str, url: httpx.URL | str, **parts: Any) -> httpx.Request:
        """See `httpx.Client.build_request`; of its parts only `content` and `headers` are known."""
        address = self._prefix + url if isinstance(url, str) and url.startswith("/") else url
        return httpx.Request(method, address, content=parts.get("content"), headers=parts.get("headers"))

    @override
    def send(self, request: httpx.Request, *, stream: bool = False, **_parts: Any) -> httpx.Response:
        """See `httpx.Client.send`."""
        response = self._connections.handle_request(request)
        response.request = request
        if not stream:
            response.read()
        return response


class _Body(httpx.SyncByteStream):
    """The rest of an answer, as it arrives."""

    def __init__(self, response: HTTPResponse, connection: HTTPConnection, traffic: Traffic) -> None:
        self._response = response
        self._connection = connection
        self._traffic = traffic

    @override
    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_says():
            while chunk := self._response.read(_CHUNK_BYTES):
                self._traffic.bytes_received += len(chunk)
                yield chunk
            if self._response.length:
                raise IncompleteRead(b"", self._response.length)

    @override
    def close(self) -> None:
        if not self._response.isclosed():
            # What nobody read would be taken for the next answer.
            self._connection.close()


class _Connections(httpx.BaseTransport):
    """One connection to each address; used by one thread, one request after the other."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._seconds = AgentSettings(state_dir=Path()).read_timeout_seconds
        self._connections: dict[tuple[bytes, bytes, int | None], HTTPConnection] = {}

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, headers = request.url, {name.decode(): value.decode() for name, value in request.headers.raw}
        connection = self._connection(url)
        try:
            with _as_httpx_says():
                connection.request(request.method, url.raw_path.decode(), request.content or None, headers)
                answer = connection.getresponse()
        except httpx.HTTPError:
            # What was asked may still be answered on it.
            connection.close()
            raise
        self._traffic.note(request, answer.status)
        body = _Body(answer, connection, self._traffic)
        return httpx.Response(answer.status, headers=answer.headers.items(), stream=body)

    @override
    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def _connection(self, url: httpx.URL) -> HTTPConnection:
        place = (url.raw_scheme, url.raw_host, url.port)
        connection = self._connections.get(place)
        if connection is None:
            connection = self._connections[place] = self._new(url)
        elif connection.sock is not None and _is_cut(connection):
            connection.close()
        return connection

    def _new(self, url: httpx.URL) -> HTTPConnection:
        if url.scheme == "https":
            return HTTPSConnection(url.host, url.port, timeout=self._seconds, context=tls_context())
        return HTTPConnection(url.host, url.port, timeout=self._seconds)


def _is_cut(connection: HTTPConnection) -> bool:
    """Whether the other side has closed a connection on which nothing is asked: it is the only thing to read there."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _as_httpx_says() -> Iterator[None]:
    """What goes wrong within the block is one of the errors that users of httpx expect."""
    try:
        yield
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except (OSError, HTTPException) as error:
        raise httpx.NetworkError(f"{type(error).__name__}: {error}") from error
