"""A visitor of Flower as attacker: without a password, with it, and with Flower's own place at the broker."""

import json
from collections.abc import Iterator
from pathlib import Path

import flower.urls
import httpx
import pytest
import redis
from kombu.exceptions import OperationalError

from control.dispatch.celery_app import make_app
from deploy.flower.routes import LOOKING, _pattern
from deploy.local.addresses import StackAddresses, resolve
from deploy.local.broker_rules import BrokerUser
from deploy.local.control_parts import flower_part
from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts
from deploy.local.ports import HOST, find_free_port
from deploy.local.readiness import ListensOn
from deploy.local.secret_values import StackSecrets
from tests.security.conftest import RefusedBy
from tests.support.broker import RunningBroker
from tests.support.servers import running

pytestmark = pytest.mark.integration
ATTACKER = "a visitor of Flower"

LOOKS = "looks in without the password"
STEERS = "submits, revokes or aborts tasks, steers workers, reads metrics"
WRITES = "writes queues with Flower's own broker user"

SUBMITTING = [
    "/api/task/send-task/control.plan",
    "/api/task/apply/control.plan",
    "/api/task/async-apply/control.plan",
    "/api/task/abort/some-id",
    "/api/task/revoke/some-id",
    "/api/task/timeout/control.plan",
    "/api/task/rate-limit/control.plan",
    "/api/worker/shutdown/control@host",
    "/api/worker/pool/restart/control@host",
    "/api/worker/pool/grow/control@host",
    "/api/worker/pool/shrink/control@host",
    "/api/worker/pool/autoscale/control@host",
    "/api/worker/queue/add-consumer/control@host",
    "/api/worker/queue/cancel-consumer/control@host",
]


@pytest.fixture(scope="module")
def addresses(valkey: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackAddresses]:
    folder = tmp_path_factory.mktemp("flower")
    ports = {name: find_free_port() for name in ("broker", "store", "api", "flower")}
    outside = OutsideParts(broker_url=valkey.url_of(BrokerUser.FLOWER))
    found = resolve(StackLayout.at(folder), outside, StackSecrets(), ports)
    with running(flower_part(found), folder):
        yield found


@pytest.fixture
def visitor(addresses: StackAddresses) -> Iterator[httpx.Client]:
    """Knows the password."""
    login = (addresses.flower_user, addresses.flower_password)
    with httpx.Client(base_url=addresses.flower_url, auth=login, timeout=20) as client:
        yield client


@pytest.fixture
def stranger(addresses: StackAddresses) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=addresses.flower_url, timeout=20) as client:
        yield client


@pytest.mark.attack(LOOKS)
@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/tasks", "/api/workers"])
def test_without_the_password_nothing_is_seen(stranger: httpx.Client, path: str, refused_by: RefusedBy) -> None:
    refused_by("HTTP 401")
    assert stranger.get(path).status_code == 401
    assert stranger.get(path, auth=("operator", "guessed")).status_code == 401


@pytest.mark.attack(STEERS)
def test_metrics_are_not_open_to_the_world(
    stranger: httpx.Client, visitor: httpx.Client, refused_by: RefusedBy
) -> None:
    refused_by("HTTP 404, 405: there is no such page")
    assert stranger.get("/metrics").status_code == 404
    assert "flower_" not in visitor.get("/metrics").text


@pytest.mark.attack(STEERS)
@pytest.mark.parametrize("path", SUBMITTING)
def test_nobody_submits_a_task_or_steers_a_worker(
    visitor: httpx.Client, stranger: httpx.Client, valkey: RunningBroker, path: str
) -> None:
    with redis.Redis.from_url(valkey.control_url) as tester:
        before = tester.lrange("control", 0, -1)
        for client in (visitor, stranger):
            answer = client.post(path, content=json.dumps({"args": []}), headers={"Content-Type": "application/json"})
            assert answer.status_code in {404, 405}
        assert tester.lrange("control", 0, -1) == before


@pytest.mark.attack(WRITES)
def test_who_is_in_flowers_place_at_the_broker_can_write_no_queue_either(
    valkey: RunningBroker, refused_by: RefusedBy
) -> None:
    refused_by("broker: NoPermissionError")
    with redis.Redis.from_url(valkey.url_of(BrokerUser.FLOWER)) as as_flower:
        for queue in ("control", "device.one", "processing.device.one"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                as_flower.lpush(queue, "{}")
    app = make_app(valkey.url_of(BrokerUser.FLOWER))
    app.conf.task_publish_retry_policy = {"max_retries": 0}
    with pytest.raises(OperationalError, match="no permissions"):
        app.send_task("control.plan")


@pytest.fixture
def open_flower(valkey: RunningBroker, addresses: StackAddresses, tmp_path: Path) -> Iterator[str]:
    """Flower as it comes: no password, every page, its API open."""
    port = find_free_port()
    part = flower_part(addresses)
    command = (*part.command[:4], "--address=127.0.0.1", f"--port={port}")
    environment = {
        "CELERY_CONFIG_MODULE": "deploy.flower.celeryconfig",
        "CELERY_BROKER_URL": valkey.control_url,
        "FLOWER_UNAUTHENTICATED_API": "true",
    }
    as_it_comes = part.model_copy(
        update={"command": command, "environment": environment, "ready": ListensOn(port=port)}
    )
    with running(as_it_comes, tmp_path):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.guard_removed(LOOKS)
@pytest.mark.guard_removed(STEERS)
def test_flower_as_it_comes_shows_everything_and_submits_tasks_for_anybody(
    open_flower: str, valkey: RunningBroker
) -> None:
    with (
        redis.Redis.from_url(valkey.control_url) as tester,
        httpx.Client(base_url=open_flower, timeout=20) as anybody,
    ):
        assert anybody.get("/tasks").status_code == 200
        assert "flower_" in anybody.get("/metrics").text
        answer = anybody.post("/api/task/send-task/some.task", json={"args": []})
        assert answer.status_code == 200
        assert b"some.task" in tester.lpop("control")


@pytest.mark.guard_removed(WRITES)
def test_with_a_looser_rule_flowers_user_writes_any_queue(valkey: RunningBroker) -> None:
    with redis.Redis.from_url(valkey.control_url) as tester:
        tester.execute_command("ACL", "SETUSER", "loose", "on", ">secret", "resetkeys", "~device.*", "+@all")
        with redis.Redis(host=HOST, port=valkey.port, username="loose", password="secret") as as_flower:
            assert as_flower.lpush("device.of-this-test", "{}") == 1
        tester.delete("device.of-this-test")
        tester.execute_command("ACL", "DELUSER", "loose")


def test_a_flower_with_new_pages_shows_none_of_them_unseen() -> None:
    """A new release may add routes; they stay out, and this names them for whoever raises the version."""
    known = LOOKING | {path.rsplit("/", 1)[0] + "/(.+)" for path in SUBMITTING}
    known |= {"/metrics", "/healthcheck", "/api/task/result/(.+)"}
    assert {_pattern(route) for route in flower.urls.handlers} <= known


def test_flower_listens_on_this_machine_only(addresses: StackAddresses) -> None:
    assert addresses.flower_url.startswith("http://127.0.0.1:")
    settings = (Path(__file__).parents[2] / "deploy" / "flower" / "flowerconfig.py").read_text()
    assert 'address = "127.0.0.1"' in settings
