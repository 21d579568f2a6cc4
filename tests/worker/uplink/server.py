"""A small real HTTP server that answers as it is told and keeps what it is asked."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from contract.http_signatures import SignableRequest


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    request: SignableRequest
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What to answer; `cut_after` bytes of the body the connection is closed."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None


@dataclass
class Server:
    """The server's address, what it was asked, and what it answers."""

    url: str
    answer: Callable[[Asked], Answer] = lambda _asked: Answer()
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[Server]:
    """Serve on a free port of loopback."""
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(SignableRequest(self.command, server.url + self.path, headers), body)
            server.asked.append(asked)
            answer = server.answer(asked)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):
                self.wfile.write(answer.body[: answer.cut_after])
            self.close_connection = answer.cut_after is not None

        do_GET = do_POST = _serve  # noqa: N815  the names the library looks for

        def log_message(self, *_arguments: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
