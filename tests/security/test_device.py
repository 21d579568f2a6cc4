"""A device with valid credentials as attacker, and whoever recorded its requests."""

import re
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import redis
import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request
from sqlalchemy.orm import Session

from contract.http_signatures import MAX_AGE, MAX_CLOCK_SKEW, TIME_HEADER, SignableRequest, sign_request
from contract.jobs import JobRef
from contract.queues import CONTROL_QUEUE, device_broker_user, device_queue, processing_list
from contract.states import Outcome
from contract.uplink import CHECK_IN_PATH, CONTENT_INFO_PATH, MAX_BODY_BYTES, POLICY_PATH, REPORTS_PATH, Problem
from control.api.app import create_app
from control.api.body_limits import BodyLimits
from control.api.dependencies import RoleGuard
from control.database.tables import Job, Revision, Role
from control.fleet.broker_users import RedisBrokerUsers
from control.metrics import REFUSED
from control.security.operators import Operator
from deploy.local.polling import wait_until
from deploy.local.ports import HOST
from tests.control.plane import Plane, SignedDevice, report_of
from tests.security.conftest import RefusedBy
from tests.support.broker import RunningBroker

ATTACKER = "a device"

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


def no_guard(operator: Operator | None) -> Callable[..., None]:
    """A guard that lets everybody in, as this operator."""

    def admit(_guard: RoleGuard, request: Request) -> None:
        request.state.operator = operator

    return admit


def enrolled_id(request: httpx.Request) -> str:
    """The device's id, as the signature names it."""
    match = re.search('keyid="([^"]+)"', request.headers["Signature-Input"])
    assert match is not None
    return match[1]


# --- replayed, old, forged, foreign -----------------------------------------------------------------------------------


REPLAY = "sends a recorded request again"


@pytest.mark.attack(REPLAY)
def test_a_request_that_is_sent_again_is_refused_and_counted(
    client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    device = enrolled()
    request = recorded(device, CHECK_IN_PATH)
    before = refused("request-replayed")
    assert client.send(request).status_code != 401
    again = client.send(request)
    assert (again.status_code, code(again)) == (401, "request-replayed")
    assert refused("request-replayed") == before + 1
    refused_by(code(again))


@pytest.mark.guard_removed(REPLAY)
def test_without_the_memory_of_nonces_the_replay_would_have_worked(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.security.nonces.ProcessNonces.is_new", lambda *_: True)
    request = recorded(enrolled(), CHECK_IN_PATH)
    assert client.send(request).status_code == client.send(request).status_code != 401


OLD = "keeps a signed request for later"


@pytest.mark.attack(OLD)
@pytest.mark.parametrize("off", [timedelta(minutes=7), -timedelta(minutes=6), timedelta(days=4000)])
def test_a_clock_that_is_off_is_told_the_time(
    client: httpx.Client, enrolled: Enrolled, off: timedelta, refused_by: RefusedBy
) -> None:
    device = enrolled()
    before = refused("clock-skewed")
    answer = client.send(recorded(device, now=datetime.now(UTC) - off))
    assert (answer.status_code, code(answer)) == (401, "clock-skewed")
    there = datetime.fromisoformat(answer.headers[TIME_HEADER])
    assert abs(there - datetime.now(UTC)) < timedelta(seconds=10)
    assert refused("clock-skewed") == before + 1
    refused_by(code(answer))


@pytest.mark.guard_removed(OLD)
def test_without_the_bounds_on_its_time_an_old_request_is_as_good_as_new(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contract.http_signatures._Verifier.validate_created_and_expires", lambda *_, **__: None)
    assert code(client.send(recorded(enrolled(), now=datetime.now(UTC) - timedelta(days=4000)))) == "document-invalid"


@pytest.mark.parametrize(
    "off", [MAX_CLOCK_SKEW + MAX_AGE - timedelta(seconds=5), timedelta(seconds=5) - MAX_CLOCK_SKEW]
)
def test_a_clock_that_is_a_little_off_is_fine(client: httpx.Client, enrolled: Enrolled, off: timedelta) -> None:
    answer = client.send(recorded(enrolled(), now=datetime.now(UTC) - off))
    assert code(answer) == "document-invalid"


FORGERY = "speaks as another device"


@pytest.mark.attack(FORGERY)
def test_another_devices_name_under_ones_own_signature_is_refused(
    client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    mine, theirs = enrolled("mine"), enrolled("theirs")
    before = refused("signature-refused")
    answer = client.send(recorded(mine, key_id=theirs.device_id))
    assert (answer.status_code, code(answer)) == (401, "signature-refused")
    assert refused("signature-refused") == before + 1
    refused_by(code(answer))


@pytest.mark.attack(FORGERY)
def test_a_key_of_ones_own_making_is_refused(client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy) -> None:
    answer = client.send(recorded(enrolled(), key=Ed25519PrivateKey.generate()))
    assert (answer.status_code, code(answer)) == (401, "signature-refused")
    refused_by(code(answer))


@pytest.mark.attack(FORGERY)
def test_a_signature_for_another_address_is_refused(
    client: httpx.Client, enrolled: Enrolled, refused_by: RefusedBy
) -> None:
    headers = recorded(enrolled(), CHECK_IN_PATH).headers
    answer = client.post(REPORTS_PATH, content=b"{}", headers=headers)
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.attack(FORGERY)
@pytest.mark.parametrize("key_id", ["../../etc/passwd", "%2e%2e", "'; DROP TABLE devices; --", "a" * 5000, "\\"])
def test_an_id_that_is_none_is_refused(
    client: httpx.Client, enrolled: Enrolled, key_id: str, refused_by: RefusedBy
) -> None:
    request = recorded(enrolled())
    named = request.headers["Signature-Input"].replace(enrolled_id(request), key_id)
    request.headers.update(httpx.Headers([(b"Signature-Input", named.encode())]))
    answer = client.send(request)
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.guard_removed(FORGERY)
def test_without_the_signatures_check_a_name_is_enough(
    client: httpx.Client, enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = enrolled("mine"), enrolled("theirs")
    believes = lambda *_: (theirs.device_id, uuid.uuid4().hex)  # noqa: E731
    monkeypatch.setattr("control.fleet.device_auth.verify_request", believes)
    assert code(client.send(recorded(mine, key_id=theirs.device_id))) == "document-invalid"


# --- what belongs to others -------------------------------------------------------------------------------------------


FOREIGN_JOB = "asks for policy or content key of another device's job"
FOREIGN_REPORT = "reports about another device's job"
OPERATORS_ROUTE = "uses its signature on an operator's route"


@pytest.fixture
def theirs(plane: Plane, enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    """Another device, and the job it was sent."""
    plane.publish()
    device = enrolled("theirs", plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((device_id, ref),) = plane.dispatch()
    assert device_id == device.device_id
    return device, ref


@pytest.mark.attack(FOREIGN_JOB)
@pytest.mark.parametrize(("method", "path"), [("GET", POLICY_PATH), ("POST", CONTENT_INFO_PATH)])
def test_policy_and_content_key_of_anothers_job_are_not_given_out(
    enrolled: Enrolled, theirs: tuple[SignedDevice, JobRef], method: str, path: str, refused_by: RefusedBy
) -> None:
    device, ref = theirs
    before = refused("unknown-job")
    answer = enrolled("mine").request(method, path.format(job_id=ref.job_id))
    assert (answer.status_code, code(answer)) == (404, "unknown-job")
    assert device.request(method, path.format(job_id=ref.job_id)).status_code == 200
    assert refused("unknown-job") == before + 1
    refused_by(code(answer))


@pytest.mark.guard_removed(FOREIGN_JOB)
def test_without_the_look_at_whose_job_it_is_all_is_given_out(
    enrolled: Enrolled, theirs: tuple[SignedDevice, JobRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    def anybodys(session: Session, job_id: str, *_: object) -> tuple[Job, Revision]:
        job = session.get_one(Job, job_id)
        return job, session.get_one(Revision, (job.app_id, job.revision))

    monkeypatch.setattr("control.api.device_routes.live_revision", anybodys)
    _, ref = theirs
    mine = enrolled("mine")
    for method, path in (("GET", POLICY_PATH), ("POST", CONTENT_INFO_PATH)):
        assert mine.request(method, path.format(job_id=ref.job_id)).status_code == 200


@pytest.mark.attack(FOREIGN_REPORT)
@pytest.mark.parametrize("claims_to_be_them", [True, False])
def test_a_report_about_anothers_job_changes_nothing(
    plane: Plane,
    enrolled: Enrolled,
    theirs: tuple[SignedDevice, JobRef],
    refused_by: RefusedBy,
    *,
    claims_to_be_them: bool,
) -> None:
    mine = enrolled("mine")
    (device, ref), claimed = theirs, mine.device_id
    if claims_to_be_them:
        claimed = device.device_id
    answer = mine.report(report_of(ref, claimed))
    assert code(answer) == ("signature-refused" if claims_to_be_them else "unknown-job")
    with plane.services.database.snapshot() as session:
        assert session.get_one(Job, ref.job_id).outcome is None
    refused_by(code(answer))


@pytest.mark.guard_removed(FOREIGN_REPORT)
def test_without_the_look_at_whose_job_it_is_a_foreign_report_is_taken(
    plane: Plane, enrolled: Enrolled, theirs: tuple[SignedDevice, JobRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("control.ingest.reports.own_job", lambda session, job_id, _: session.get_one(Job, job_id))
    mine, (_, ref) = enrolled("mine"), theirs
    assert mine.report(report_of(ref, mine.device_id)).status_code == 200
    with plane.services.database.snapshot() as session:
        assert session.get_one(Job, ref.job_id).outcome is Outcome.INSTALLED


@pytest.mark.attack(OPERATORS_ROUTE)
def test_a_devices_signature_opens_no_operators_route(enrolled: Enrolled, refused_by: RefusedBy) -> None:
    answer = enrolled().request("GET", "/v1/devices")
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.guard_removed(OPERATORS_ROUTE)
def test_without_the_guard_on_roles_anybody_reads_it(enrolled: Enrolled, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = Operator("none", "nobody", Role.ADMIN, frozenset(), "")
    monkeypatch.setattr(RoleGuard, "__call__", no_guard(everybody))
    assert enrolled().request("GET", "/v1/devices").status_code == 200


# --- the broker -------------------------------------------------------------------------------------------------------

OTHERS_QUEUES = "reads, takes, counts or writes queues of others"

#: What a device could want of a queue that is not its own.
COMMANDS: dict[str, Callable[[redis.Redis, str], object]] = {
    "read": lambda broker, queue: broker.lrange(queue, 0, -1),
    "take": lambda broker, queue: broker.rpop(queue),
    "count": lambda broker, queue: broker.llen(queue),
    "write": lambda broker, queue: broker.lpush(queue, "{}"),
    "delete": lambda broker, queue: broker.delete(queue),
}


@pytest.fixture
def at_broker(valkey: RunningBroker) -> Iterator[tuple[redis.Redis, str]]:
    """A device's connection, and its id."""
    device_id, users = str(uuid.uuid4()), RedisBrokerUsers(valkey.control_url)
    users.put(device_id, "secret")
    user = device_broker_user(device_id)
    with redis.Redis(host=HOST, port=valkey.port, username=user, password="secret", protocol=2) as connection:
        yield connection, device_id
    users.remove(device_id)


OTHERS = [CONTROL_QUEUE, device_queue("another"), processing_list(device_queue("another")), "nonce.x"]


@pytest.mark.integration
@pytest.mark.attack(OTHERS_QUEUES)
@pytest.mark.parametrize("queue", OTHERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_queues_of_others_are_closed_to_a_device(
    at_broker: tuple[redis.Redis, str], command: str, queue: str, refused_by: RefusedBy
) -> None:
    connection, _ = at_broker
    with pytest.raises(redis.exceptions.NoPermissionError) as caught:
        COMMANDS[command](connection, queue)
    refused_by(f"broker: {type(caught.value).__name__}")


@pytest.mark.integration
@pytest.mark.attack(OTHERS_QUEUES)
@pytest.mark.parametrize("command", ["KEYS *", "ACL LIST", "CONFIG GET *", "MONITOR", "SUBSCRIBE *", "FLUSHALL"])
def test_a_device_sees_and_commands_nothing_else(
    at_broker: tuple[redis.Redis, str], command: str, refused_by: RefusedBy
) -> None:
    connection, _ = at_broker
    with pytest.raises(redis.exceptions.NoPermissionError) as caught:
        connection.execute_command(*command.split())  # type: ignore[no-untyped-call]  # redis-py's
    refused_by(f"broker: {type(caught.value).__name__}")


@pytest.mark.integration
@pytest.mark.guard_removed(OTHERS_QUEUES)
def test_with_a_looser_rule_a_device_reads_them_all(at_broker: tuple[redis.Redis, str], valkey: RunningBroker) -> None:
    connection, device_id = at_broker
    with redis.Redis.from_url(valkey.control_url) as tester:
        tester.execute_command("ACL", "SETUSER", device_broker_user(device_id), "allkeys", "+@all")
        for queue in OTHERS:
            for command in COMMANDS.values():
                command(connection, f"{queue}.of-this-test")


# --- too many, too large, too slow ------------------------------------------------------------------------------------


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


GIANT = b'{"name": "' + b"x" * MAX_BODY_BYTES + b'"}'


@pytest.mark.attack(TOO_LARGE)
@pytest.mark.parametrize("path", [REPORTS_PATH, "/v1/device/enroll", "/v1/groups", "/v1/assignments", "/v1/apps"])
def test_a_giant_body_is_refused_before_it_is_parsed_on_every_route(
    client: httpx.Client, path: str, refused_by: RefusedBy
) -> None:
    answer = client.post(path, content=GIANT)
    assert (answer.status_code, code(answer)) == (413, "request-too-large")
    refused_by(code(answer))


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
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    assert wait_until(lambda: server.started, seconds=10)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def drip(port: int, path: str, patience_seconds: float = 5) -> bytes:
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
@pytest.mark.parametrize("path", [REPORTS_PATH, "/v1/groups"])
def test_a_body_that_drips_is_given_up(plane: Plane, path: str, refused_by: RefusedBy) -> None:
    with server_that_waits(plane, 0.5) as port:
        status = drip(port, path).split(b"\r\n")[0]
    assert status.startswith(b"HTTP/1.1 408")
    refused_by(status.decode())


@pytest.mark.integration
@pytest.mark.guard_removed(TOO_SLOW)
def test_without_the_limit_the_server_waits_on(plane: Plane) -> None:
    with server_that_waits(plane, 3600) as port, pytest.raises(TimeoutError):
        drip(port, REPORTS_PATH, patience_seconds=2)


# --- seen by the operator ---------------------------------------------------------------------------------------------


def test_the_operator_sees_what_was_refused(client: httpx.Client, enrolled: Enrolled, operator: Headers) -> None:
    client.send(recorded(enrolled(), key=Ed25519PrivateKey.generate()))
    page = client.get("/metrics", headers=operator(Role.VIEWER)).text
    assert 'outrider_refused_requests_total{reason="signature-refused",side="device"}' in page


METRICS = "reads the metrics without an operator's token"


@pytest.mark.attack(METRICS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}])
def test_metrics_are_closed_to_everybody_else(
    client: httpx.Client, headers: dict[str, str], refused_by: RefusedBy
) -> None:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 401
    refused_by(code(answer))


@pytest.mark.guard_removed(METRICS)
def test_without_the_guard_on_roles_metrics_are_open(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RoleGuard, "__call__", no_guard(None))
    assert client.get("/metrics").status_code == 200
