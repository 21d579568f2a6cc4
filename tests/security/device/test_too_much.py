"""A device that sends too many requests, too large ones, or ones that never end."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest

from contract.uplink import MAX_BODY_BYTES, REPORTS_PATH
from control.api.app import create_app
from control.api.body_limits import BodyLimits
from control.database.tables import Role
from tests.control.plane import Plane
from tests.security.conftest import RefusedBy
from tests.security.device.signed_requests import Enrolled, code, recorded, refused
from tests.support.served import served

ATTACKER = "a device"

TOO_MANY = "sends too many requests"
TOO_LARGE = "sends a giant body"
TOO_SLOW = "sends a body byte by byte"


@pytest.mark.attack(TOO_MANY)
def test_too_many_requests_are_refused_with_a_time_and_cost_others_nothing(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    greedy, modest = enrolled("greedy"), enrolled("modest")
    before = refused("rate-limited")
    answers = [client.send(recorded(greedy)) for _ in range(int(plane.services.settings.device_request_burst) + 5)]
    last = answers[-1]
    assert (last.status_code, code(last), last.headers["Retry-After"]) == (429, "rate-limited", "1")
    assert refused("rate-limited") == before + 5
    assert modest.check_in().status_code == 200
    plane.clock.advance(timedelta(seconds=1))
    assert greedy.check_in().status_code == 200
    refused_by(code(last))


@pytest.mark.guard_removed(TOO_MANY)
def test_without_the_limit_they_are_all_served(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.security.rate_limits.RateLimiter.wait_seconds", lambda *_: 0.0)
    greedy = enrolled("greedy")
    answers = [client.send(recorded(greedy)) for _ in range(int(plane.services.settings.device_request_burst) + 5)]
    assert "rate-limited" not in {code(answer) for answer in answers}


OPERATORS_PATHS = ["/v1/groups", "/v1/assignments", "/v1/apps"]
GIANT = b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}'


@pytest.mark.attack(TOO_LARGE)
@pytest.mark.parametrize("path", [REPORTS_PATH, "/v1/device/enroll"])
def test_a_giant_body_is_refused_before_it_is_parsed(client: httpx.Client, path: str, refused_by: RefusedBy) -> None:
    answer = client.post(path, content=GIANT)
    assert (answer.status_code, code(answer)) == (413, "request-too-large")
    refused_by(code(answer))


@pytest.mark.attack(TOO_LARGE)
@pytest.mark.parametrize("path", OPERATORS_PATHS)
def test_on_an_operators_route_nothing_of_it_is_read(client: httpx.Client, path: str, refused_by: RefusedBy) -> None:
    answer = client.post(path, content=GIANT)
    assert (answer.status_code, code(answer)) == (401, "token-refused")
    refused_by(code(answer))


@pytest.mark.parametrize("path", OPERATORS_PATHS)
def test_an_operator_sends_no_giant_body_either(
    client: httpx.Client, operator: Callable[[Role], dict[str, str]], path: str
) -> None:
    answer = client.post(path, content=GIANT, headers=operator(Role.ADMIN))
    assert (answer.status_code, code(answer)) == (413, "request-too-large")


@pytest.mark.guard_removed(TOO_LARGE)
def test_without_the_limit_a_giant_body_is_read_to_its_end(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.api.body_limits.MAX_BODY_BYTES", 1 << 40)
    assert code(client.post("/v1/device/enroll", content=GIANT)) == "document-invalid"


@contextmanager
def server_that_waits(plane: Plane, seconds: float) -> Iterator[int]:
    """The port of a real server that waits so long for a body."""
    app = create_app(plane.services)
    app.user_middleware.clear()
    app.add_middleware(BodyLimits, max_seconds=seconds)
    with served(app) as address:
        yield int(address.rpartition(":")[2])


def drip(port: int, path: str, patience_seconds: float = 20) -> bytes:
    """Announce a body and send a byte of it now and then; what the server says in the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        deadline = time.monotonic() + patience_seconds
        connection.settimeout(0.1)
        while time.monotonic() < deadline:
            connection.sendall(b"x")
            try:
                return connection.recv(1000)
            except TimeoutError:
                continue
    raise TimeoutError("the server still waits")


@pytest.mark.integration
@pytest.mark.attack(TOO_SLOW)
@pytest.mark.parametrize(("path", "number"), [(REPORTS_PATH, 408), ("/v1/groups", 401)])
def test_a_body_that_drips_is_given_up(plane: Plane, path: str, number: int, refused_by: RefusedBy) -> None:
    with server_that_waits(plane, 0.5) as port:
        status = drip(port, path).split(b"\r\n")[0]
    assert status.startswith(b"HTTP/1.1 %d" % number)
    refused_by(status.decode())


@pytest.mark.integration
@pytest.mark.guard_removed(TOO_SLOW)
def test_without_the_limit_the_server_waits_on(plane: Plane) -> None:
    with server_that_waits(plane, 3600) as port, pytest.raises(TimeoutError):
        drip(port, REPORTS_PATH, patience_seconds=2)
