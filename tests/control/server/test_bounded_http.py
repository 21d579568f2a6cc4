"""A head without end is given up, in a real server; bodies and ordinary heads are not affected."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
import uvicorn
from fastapi import FastAPI, Request

from control.server.bounded_http import MAX_HEAD_BYTES
from control.server.serving import SERVING
from deploy.local.polling import wait_until

pytestmark = pytest.mark.integration

_PATIENCE_SECONDS = 20
#: What one read of the transport, and the buffers of both sockets, may take on top.
_SLACK_BYTES = 8 * 1024 * 1024

app = FastAPI()


@app.post("/")
async def size_of_body(request: Request) -> int:
    return len(await request.body())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, **SERVING))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    assert wait_until(lambda: server.started, seconds=_PATIENCE_SECONDS)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def sent_until_refused(port: int, head: bytes, piece: bytes) -> tuple[int, bytes]:
    """How many bytes were taken after the head, and the answer."""
    taken = 0
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        connection.sendall(head)
        try:
            while taken < _SLACK_BYTES:
                connection.sendall(piece)
                taken += len(piece)
        except ConnectionError:
            return taken, b""
        return taken, connection.recv(1000)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"POST /", b"a" * 1000),
        (b"POST / HTTP/1.1\r\nHost: x\r\nX-Endless: ", b"a" * 1000),
        (b"POST / HTTP/1.1\r\nHost: x\r\n", b"X-One: more\r\n" * 100),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n",
            b"X-T: railer\r\n" * 100,
        ),
    ],
    ids=["an address", "a header", "many headers", "trailers"],
)
def test_what_is_no_body_and_has_no_end_is_refused(port: int, head: bytes, piece: bytes) -> None:
    taken, _ = sent_until_refused(port, head, piece)
    assert taken < _SLACK_BYTES


def answer_to(port: int, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return b"".join(iter(lambda: connection.recv(10_000), b""))


def test_a_head_that_is_too_large_is_answered_and_ends_the_connection(port: int) -> None:
    answer = answer_to(port, b"POST / HTTP/1.1\r\nHost: x\r\nX-Large: " + b"a" * MAX_HEAD_BYTES)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"connection: close" in answer
    assert answer.endswith(b"The request's head is too large.")


def test_a_large_head_within_the_bound_is_read(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\nX-Large: "
    assert answer_to(port, head + b"a" * (MAX_HEAD_BYTES - 1000) + b"\r\n\r\n").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_a_body_far_larger_than_a_head_is_read(port: int, size: int) -> None:
    chunk = f"{size:x}\r\n".encode() + b"a" * size + b"\r\n"
    chunks = 10 * MAX_HEAD_BYTES // size + 1
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert answer_to(port, head, chunk * chunks, b"0\r\n\r\n").endswith(str(chunks * size).encode())


def test_many_requests_on_one_connection_are_each_counted_anew(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_SECONDS)
    with closing(connection):
        for _ in range(10):
            connection.request("POST", "/", headers={"X-Large": "a" * 30_000})
            with connection.getresponse() as answer:
                assert (answer.status, answer.read()) == (200, b"0")
        assert connection.sock is not None, "it was one connection"
