"""The content store in the hands of an attacker: it forwards to the real one until it is told to lie."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

CHUNK = b"\0" * 65_536


@dataclass
class Answer:
    """What the real store says."""

    status: int
    headers: dict[str, str]
    body: bytes


#: Answers a request itself, given what the real store would say.
Lie = Callable[["Handler", Answer], None]


class EvilStore(ThreadingHTTPServer):
    """A store between devices and the real store.

    Attributes:
        lie: How it answers; None makes it honest.
        sent: Bytes of bodies it has sent.
        asked: The paths it was asked for.
    """

    daemon_threads = True

    def __init__(self, real: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.real = urlsplit(real).netloc
        self.lie: Lie | None = None
        self.sent = 0
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: EvilStore

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answer, lie = self._honest(), self.server.lie
        # A device that has seen enough hangs up.
        with suppress(ConnectionError):
            if lie is None:
                self.answer(answer.status, answer.body, answer.headers)
            else:
                lie(self, answer)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.begin(status, {"Content-Length": str(len(body)), **(headers or {})})
        self.write(body)

    def begin(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sent += len(data)

    def log_message(self, *_arguments: object) -> None:
        pass

    def _honest(self) -> Answer:
        connection = HTTPConnection(self.server.real, timeout=30)
        try:
            # The host is part of what the URL's signature covers.
            connection.request("GET", self.path, headers=dict(self.headers))
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        kept = ("Content-Range", "Content-Type", "ETag")
        return Answer(response.status, {name: value for name, value in response.getheaders() if name in kept}, body)


@contextmanager
def evil_store(real: str) -> Iterator[EvilStore]:
    """Running until the block ends."""
    server = EvilStore(real)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
