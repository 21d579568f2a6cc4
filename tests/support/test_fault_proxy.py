"""The fault proxy does what it says; tests of faults rest on it."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from deploy.local.ports import HOST
from tests.support.fault_proxy import Direction, FaultProxy, fault_proxy

pytestmark = pytest.mark.integration

SECONDS = 20
#: How long nothing must come before a connection counts as silent.
SILENCE_SECONDS = 0.3


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while chunk := self.connection.recv(65536):
                self.connection.sendall(chunk)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with _Server((HOST, 0), _Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with fault_proxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()


@pytest.fixture
def client(proxy: FaultProxy) -> Iterator[socket.socket]:
    with connected(proxy) as client:
        assert echoed(client, b"hello") == b"hello"
        yield client


def connected(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=SECONDS)


def echoed(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    return read(client, len(data))


def read(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (chunk := client.recv(count - len(got))):
        got += chunk
    return got


def test_it_forwards_both_ways_and_the_end_too(proxy: FaultProxy, client: socket.socket) -> None:
    data = bytes(range(256)) * 4096
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    assert read(client, len(data)) == data
    sender.join()
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""


def test_a_delay_holds_for_each_way(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.delay(0.2)
    begin = time.monotonic()
    assert echoed(client, b"x") == b"x"
    assert time.monotonic() - begin >= 0.4


def test_a_drip_is_slow(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.drip(1000)
    begin = time.monotonic()
    assert echoed(client, bytes(400)) == bytes(400)
    assert time.monotonic() - begin >= 0.4


def test_a_cut_resets_what_is_open_and_nothing_else(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.cut()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with connected(proxy) as second:
        assert echoed(second, b"again") == b"again"


@pytest.mark.parametrize("direction", Direction)
def test_a_connection_is_cut_after_so_many_bytes(proxy: FaultProxy, direction: Direction) -> None:
    proxy.cut_after(10, direction)
    with connected(proxy) as client:
        assert echoed(client, b"12345") == b"12345"
        got = b""
        client.sendall(b"abcdefgh")
        with contextlib.suppress(ConnectionResetError):
            got = read(client, 8)
        assert b"abcde".startswith(got)


def test_a_half_open_connection_is_silent_for_good_and_new_ones_work(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.half_open()
    client.settimeout(SILENCE_SECONDS)
    client.sendall(b"into the void")
    with pytest.raises(TimeoutError):
        client.recv(1)
    proxy.forward()
    client.sendall(b"still")
    with pytest.raises(TimeoutError):
        client.recv(1)
    with connected(proxy) as second:
        assert echoed(second, b"new") == b"new"
    assert proxy.connections >= 1


def test_a_refusing_proxy_refuses_until_it_forwards_again(proxy: FaultProxy, client: socket.socket) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connected(proxy)
    proxy.forward()
    with connected(proxy) as second:
        assert echoed(second, b"back") == b"back"


def test_it_answers_in_the_server_s_place(proxy: FaultProxy) -> None:
    reply = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
    proxy.answer(reply)
    with connected(proxy) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert read(client, len(reply)) == reply
    proxy.forward()
    with connected(proxy) as client:
        assert echoed(client, b"x") == b"x"


def test_a_server_that_is_away_resets(proxy: FaultProxy) -> None:
    # The reset may be here before the connection is used.
    with fault_proxy(1) as orphan, pytest.raises(ConnectionResetError), connected(orphan) as client:
        client.recv(1)
