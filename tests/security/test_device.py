"""A device with valid credentials as attacker, and whoever recorded its requests."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.http_signatures import MAX_AGE, MAX_CLOCK_SKEW, TIME_HEADER, SignableRequest, sign_request
from contract.uplink import CHECK_IN_PATH, CONTENT_INFO_PATH, MAX_BODY_BYTES, POLICY_PATH, REPORTS_PATH, Problem
from control.api.app import create_app
from control.api.body_limits import BodyLimits
from control.database.tables import Role
from control.metrics import REFUSED
from deploy.local.polling import wait_until
from tests.control.plane import Plane, SignedDevice, report_of

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]


def refused(reason: str) -> float:
    """How many requests of devices were refused for this reason so far."""
    return float(REFUSED.labels(side="device", reason=reason)._value.get())


def code(response: httpx.Response) -> str:
    return Problem.model_validate_json(response.content).code


def recorded(device: SignedDevice, path: str = REPORTS_PATH, body: bytes = b"{}", **changes: object) -> httpx.Request:
    """A signed request as somebody on the way could keep it."""
    request = device.client.build_request("POST", path, content=body)
    fields = {"key": device.signer, "key_id": device.device_id, "now": datetime.now(UTC), **changes}
    sign_request(SignableRequest("POST", str(request.url), request.headers), body, **fields)  # type: ignore[arg-type]
    return request


# --- replayed, old, forged, foreign -----------------------------------------------------------------------------------


def test_a_request_that_is_sent_again_is_refused_and_counted(client: httpx.Client, enrolled: Enrolled) -> None:
    device = enrolled()
    request = recorded(device, CHECK_IN_PATH)
    before = refused("request-replayed")
    assert client.send(request).status_code != 401
    again = client.send(request)
    assert (again.status_code, code(again)) == (401, "request-replayed")
    assert refused("request-replayed") == before + 1


def test_without_the_memory_of_nonces_the_replay_would_have_worked(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.security.nonces.ProcessNonces.is_new", lambda *_: True)
    request = recorded(enrolled(), CHECK_IN_PATH)
    assert client.send(request).status_code == client.send(request).status_code != 401


@pytest.mark.parametrize("off", [timedelta(minutes=7), -timedelta(minutes=6), timedelta(days=4000)])
def test_a_clock_that_is_off_is_told_the_time(client: httpx.Client, enrolled: Enrolled, off: timedelta) -> None:
    device = enrolled()
    before = refused("clock-skewed")
    answer = client.send(recorded(device, now=datetime.now(UTC) - off))
    assert (answer.status_code, code(answer)) == (401, "clock-skewed")
    there = datetime.fromisoformat(answer.headers[TIME_HEADER])
    assert abs(there - datetime.now(UTC)) < timedelta(seconds=10)
    assert refused("clock-skewed") == before + 1


@pytest.mark.parametrize(
    "off", [MAX_CLOCK_SKEW + MAX_AGE - timedelta(seconds=5), timedelta(seconds=5) - MAX_CLOCK_SKEW]
)
def test_a_clock_that_is_a_little_off_is_fine(client: httpx.Client, enrolled: Enrolled, off: timedelta) -> None:
    answer = client.send(recorded(enrolled(), now=datetime.now(UTC) - off))
    assert code(answer) == "document-invalid"


def test_another_devices_name_under_ones_own_signature_is_refused(client: httpx.Client, enrolled: Enrolled) -> None:
    mine, theirs = enrolled("mine"), enrolled("theirs")
    answer = client.send(recorded(mine, key_id=theirs.device_id))
    assert (answer.status_code, code(answer)) == (401, "signature-refused")


def test_a_key_of_ones_own_making_is_refused(client: httpx.Client, enrolled: Enrolled) -> None:
    answer = client.send(recorded(enrolled(), key=Ed25519PrivateKey.generate()))
    assert (answer.status_code, code(answer)) == (401, "signature-refused")


def test_a_signature_for_another_address_is_refused(client: httpx.Client, enrolled: Enrolled) -> None:
    headers = recorded(enrolled(), CHECK_IN_PATH).headers
    assert client.post(REPORTS_PATH, content=b"{}", headers=headers).status_code == 401


@pytest.mark.parametrize("key_id", ["../../etc/passwd", "%2e%2e", "'; DROP TABLE devices; --", "a" * 5000, "\\", "ü"])
def test_an_id_that_is_none_is_refused(client: httpx.Client, enrolled: Enrolled, key_id: str) -> None:
    try:
        request = recorded(enrolled(), key_id=key_id)
    except Exception:  # noqa: BLE001  the library signs no such name: there is nothing to send
        return
    assert client.send(request).status_code == 401


# --- what belongs to others -------------------------------------------------------------------------------------------


def test_policy_and_content_key_of_anothers_job_are_not_given_out(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    theirs, mine = enrolled("theirs", plane.group("desks")), enrolled("mine")
    plane.assign("desks")
    plane.plan()
    ((device_id, ref),) = plane.dispatch()
    assert device_id == theirs.device_id
    for method, path in (("GET", POLICY_PATH), ("POST", CONTENT_INFO_PATH)):
        answer = mine.request(method, path.format(job_id=ref.job_id))
        assert (answer.status_code, code(answer)) == (404, "unknown-job")
        assert theirs.request(method, path.format(job_id=ref.job_id)).status_code == 200


def test_a_report_about_anothers_job_changes_nothing(plane: Plane, enrolled: Enrolled) -> None:
    plane.publish()
    enrolled("theirs", plane.group("desks"))
    mine = enrolled("mine")
    plane.assign("desks")
    plane.plan()
    ((theirs_id, ref),) = plane.dispatch()
    for claimed in (theirs_id, mine.device_id):
        assert mine.report(report_of(ref, claimed)).status_code in {401, 403, 404, 422}


def test_a_devices_signature_opens_no_operators_route(client: httpx.Client, enrolled: Enrolled) -> None:
    assert enrolled().request("GET", "/v1/devices").status_code == 401


# --- too many, too large, too slow ------------------------------------------------------------------------------------


def test_too_many_requests_are_refused_with_a_time_and_cost_others_nothing(
    plane: Plane, client: httpx.Client, enrolled: Enrolled
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


@pytest.mark.parametrize("path", [REPORTS_PATH, "/v1/device/enroll", "/v1/groups", "/v1/assignments", "/v1/apps"])
def test_a_giant_body_is_refused_before_it_is_parsed_on_every_route(client: httpx.Client, path: str) -> None:
    answer = client.post(path, content=b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}')
    assert (answer.status_code, code(answer)) == (413, "request-too-large")


@pytest.fixture
def impatient(plane: Plane) -> Iterator[int]:
    """The port of a real server that waits half a second for a body."""
    app = create_app(plane.services)
    app.user_middleware.clear()
    app.add_middleware(BodyLimits, max_seconds=0.5)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert wait_until(lambda: server.started, seconds=10)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def drip(port: int, path: str) -> bytes:
    """Announce a body and send a byte of it now and then; what the server says in the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode())
        deadline = time.monotonic() + 5
        connection.settimeout(0.1)
        while time.monotonic() < deadline:
            connection.sendall(b"x")
            try:
                return connection.recv(1000)
            except TimeoutError:
                continue
    raise AssertionError("the server waits for ever")


@pytest.mark.integration
@pytest.mark.parametrize("path", [REPORTS_PATH, "/v1/groups"])
def test_a_body_that_drips_is_given_up(impatient: int, path: str) -> None:
    assert drip(impatient, path).startswith(b"HTTP/1.1 408")


# --- seen by the operator ---------------------------------------------------------------------------------------------


def test_the_operator_sees_what_was_refused(client: httpx.Client, enrolled: Enrolled, operator: Headers) -> None:
    client.send(recorded(enrolled(), key=Ed25519PrivateKey.generate()))
    page = client.get("/metrics", headers=operator(Role.VIEWER)).text
    assert 'outrider_refused_requests_total{reason="signature-refused",side="device"}' in page


def test_metrics_are_closed_to_everybody_else(client: httpx.Client) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer guessed"}).status_code == 401
