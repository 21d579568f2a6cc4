"""The HTTP client of simulated devices, against a real server: it counts, it tells errors, it connects anew."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from contract.errors import UnavailableError
from deploy.simulation.client import CONTENT, DeviceClient
from worker.content.source import HttpContentSource
from worker.uplink.transport import send

pytestmark = pytest.mark.integration

JOB = "0b9c7f2e-1111-4222-8333-444455556666"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.closed = threading.Semaphore(0)

    def shutdown_request(self, request: Any) -> None:
        """Say that a connection is closed, once it is."""
        super().shutdown_request(request)
        self.closed.release()


class _Handler(BaseHTTPRequestHandler):
    """Answers with what it was sent, or with the status that the path names."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"nothing was sent"
        status = int(self.path.rpartition("/")[2]) if self.path.startswith("/v1/status/") else HTTPStatus.OK
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Seen", self.headers.get("X-Sent", ""))
        self.end_headers()
        self.wfile.write(body)
        # What is in the address decides, not what the client wants.
        self.close_connection = self.path.endswith("last")

    do_GET = do_POST = answer  # noqa: N815  so the library calls them

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def url(server: _Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def client(url: str) -> Iterator[DeviceClient]:
    with DeviceClient(url) as made:
        yield made


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of one connection that does as it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_a_request_arrives_and_so_does_its_answer(client: DeviceClient) -> None:
    request = client.build_request("POST", "/v1/device/reports", content=b"{}", headers={"X-Sent": "yes"})
    response = send(client, request)
    assert (response.content, response.headers["x-seen"], response.request) == (b"{}", "yes", request)


def test_requests_are_counted_by_what_they_ask_for(client: DeviceClient, url: str) -> None:
    for path in (f"/v1/device/jobs/{JOB}/policy", f"/v1/device/jobs/{JOB.replace('0b', '1c')}/policy"):
        send(client, client.build_request("GET", path))
    client.send(client.build_request("POST", "/v1/status/503", content=b"12345"))
    with HttpContentSource(client).open(f"{url}/bucket/content", first=0) as stream:
        assert b"".join(stream.chunks) == b"nothing was sent"
    traffic = client.traffic
    assert traffic.requests == {"GET /v1/device/jobs/{id}/policy": 2, CONTENT: 1}
    assert traffic.refused == {503: 1}
    assert (traffic.bytes_sent, traffic.bytes_received) == (5, 3 * len(b"nothing was sent") + 5)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(client: DeviceClient, server: _Server) -> None:
    for _ in range(3):
        assert send(client, client.build_request("GET", "/v1/last")).is_success
        assert server.closed.acquire(timeout=10)


def test_nobody_there_is_an_error_that_says_so(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nowhere = f"http://127.0.0.1:{server.getsockname()[1]}"
    client = DeviceClient(nowhere)
    with pytest.raises(UnavailableError):
        send(client, client.build_request("GET", "/v1/device/orders"))
    assert client.traffic.requests == {}, "it was not answered"


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", b"no HTTP at all\r\n"])
def test_an_answer_that_breaks_off_is_an_error(answer: bytes) -> None:
    with listener(lambda connection: connection.sendall(answer)) as address:
        client = DeviceClient(address)
        with pytest.raises(UnavailableError):
            send(client, client.build_request("GET", "/v1/device/orders"))
        client.close()


def test_what_is_left_of_an_answer_is_not_taken_for_the_next_one(client: DeviceClient, url: str) -> None:
    with client.stream("POST", f"{url}/bucket/content") as response:
        assert response.status_code == HTTPStatus.OK
    assert send(client, client.build_request("POST", "/v1/device/reports", content=b"own")).content == b"own"


def test_nothing_is_followed(client: DeviceClient) -> None:
    assert isinstance(client.send(client.build_request("GET", "/v1/status/302")), httpx.Response)
    assert client.traffic.requests == {"GET /v1/status/302": 1}
