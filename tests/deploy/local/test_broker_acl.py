"""What the broker's users may do and may not, asked of the real broker."""

import base64
import json
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from deploy.local.addresses import StackAddresses, resolve
from deploy.local.broker_acl import CONTROL, FLOWER, write_users
from deploy.local.control_parts import flower_part
from deploy.local.layout import StackLayout
from deploy.local.outside import OutsideParts
from deploy.local.part import Part
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from deploy.local.readiness import LogSays
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.support.broker import RunningBroker
from tests.support.servers import running

DEVICE_RULES = ["reset", "on", ">device-secret", "resetchannels", "-@all", "+ping", "+lpush", "~device.kept"]


@pytest.fixture
def control(valkey: RunningBroker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.control_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def flower(valkey: RunningBroker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.flower_url, decode_responses=True) as client:
        yield client


def order(client: redis.Redis, *words: str) -> object:
    return client.execute_command(*words)  # type: ignore[no-untyped-call]  # the library leaves it untyped


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_users_file_holds_digests_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    write_users(tmp_path / "users.acl", {CONTROL: "control-secret", FLOWER: "flower-secret"})
    text = (tmp_path / "users.acl").read_text()
    assert "secret" not in text
    assert "user default reset off" in text
    assert stat.S_IMODE((tmp_path / "users.acl").stat().st_mode) == 0o600


def test_writing_the_users_again_keeps_devices_and_renews_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "users.acl"
    write_users(file, {CONTROL: "one", FLOWER: "two"})
    before = file.read_text()
    file.write_text(before + "user device.d1 on #abc -@all ~device.d1\n")
    write_users(file, {CONTROL: "three", FLOWER: "two"})
    lines = file.read_text().splitlines()
    assert lines[-1] == "user device.d1 on #abc -@all ~device.d1"
    assert [line.split()[1] for line in lines] == ["default", CONTROL, FLOWER, "device.d1"]
    assert lines[1] != before.splitlines()[1]
    assert lines[2] == before.splitlines()[2]


# --- the control plane ------------------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_control_plane_sends_to_devices_and_consumes_its_own_queue(control: redis.Redis) -> None:
    assert control.lpush("device.d1", "a job") == 1
    assert control.llen("processing.device.d1") == 0
    assert control.delete("device.d1") == 1
    control.lpush("control.acl-test", "a request")
    assert control.brpop(["control.acl-test"], timeout=1) == ("control.acl-test", "a request")
    assert control.publish("/0.celeryev/worker.heartbeat", "{}") == 0


@pytest.mark.integration
def test_a_device_user_made_live_survives_kill_and_restart(tmp_path: Path) -> None:
    secrets, port = StackSecrets(), find_free_port()
    control_url = f"redis://control:{secrets.broker_control}@127.0.0.1:{port}/0"
    device_url = f"redis://device.kept:device-secret@127.0.0.1:{port}/0"
    with running(broker_part(tmp_path, port, secrets), tmp_path) as process:
        with redis.Redis.from_url(control_url) as control:
            order(control, "ACL", "SETUSER", "device.kept", *DEVICE_RULES)
            order(control, "ACL", "SAVE")
        process.kill()
        process.wait()
    with running(broker_part(tmp_path, port, secrets), tmp_path), redis.Redis.from_url(device_url) as device:
        assert device.lpush("device.kept", "-") == 1
        with pytest.raises(redis.exceptions.NoPermissionError):
            device.lpush("device.other", "-")


CONTROL_ATTACKS = [
    "GET secret-of-others",
    "LPUSH elsewhere x",
    "FLUSHALL",
    "KEYS *",
    "CONFIG GET *",
    "SHUTDOWN NOSAVE",
    "ACL LIST",
    "ACL LOAD",
    "CLIENT LIST",
    "MONITOR",
    "SUBSCRIBE /0.celeryev/worker.heartbeat",
    "PUBLISH /0.celery.pidbox x",
    "REPLICAOF NO ONE",
]


@pytest.mark.integration
@pytest.mark.parametrize("attack", CONTROL_ATTACKS)
def test_the_control_plane_may_not(control: redis.Redis, attack: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        order(control, *attack.split())


# --- the dashboard ----------------------------------------------------------------------------------------------------

FLOWER_ATTACKS = [
    "LPUSH device.d1 x",
    "RPUSH control x",
    "LRANGE device.d1 0 -1",
    "LPOP control",
    "DEL device.d1",
    "SADD _kombu.binding.control x",
    "PUBLISH /0.celeryev/worker.heartbeat x",
    "EVAL return(1) 0",
    "SCRIPT LOAD return(1)",
    "ACL SETUSER me",
    "KEYS *",
    "FLUSHALL",
    "CONFIG GET *",
]


@pytest.mark.integration
@pytest.mark.parametrize("attack", FLOWER_ATTACKS)
def test_the_dashboard_may_not(flower: redis.Redis, attack: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        order(flower, *attack.split())


WORKER = """
import sys
from control.dispatch.celery_app import make_app, run_worker
from contract.queues import ControlTask
from celery.signals import worker_ready
worker_ready.connect(lambda **_: make_app(sys.argv[1]).send_task("control.plan"), weak=False)
run_worker(sys.argv[1], {task: list for task in ControlTask})
"""


@pytest.fixture
def dashboard(valkey: RunningBroker, tmp_path: Path) -> Iterator[StackAddresses]:
    """Flower as the stack runs it, on the session's broker."""
    layout = StackLayout.at(tmp_path)
    outside = OutsideParts(broker_url=valkey.flower_url)
    ports = {name: find_free_port() for name in ("broker", "store", "api", "flower")}
    addresses = resolve(layout, outside, StackSecrets(), ports)
    with running(flower_part(addresses), tmp_path):
        yield addresses


def get(addresses: StackAddresses, path: str, *, password: str | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(addresses.flower_url + path)
    if password is not None:
        login = base64.b64encode(f"{addresses.flower_user}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.integration
def test_the_dashboard_shows_workers_and_their_tasks_with_its_few_rights(
    valkey: RunningBroker, dashboard: StackAddresses, tmp_path: Path
) -> None:
    def seen(path: str) -> dict[str, object]:
        status, body = get(dashboard, path, password=dashboard.flower_password)
        assert status == 200, body
        found: dict[str, object] = json.loads(body)
        return found

    worker = Part(
        name="worker",
        command=(sys.executable, "-c", WORKER, valkey.control_url),
        ready=LogSays(words=" ready."),
        start_timeout=timedelta(seconds=30),
    )
    with running(worker, tmp_path):
        assert wait_until(lambda: "control.plan" in str(seen("/api/tasks?state=SUCCESS")), seconds=15)
        assert "control@" in str(seen("/workers?json=1"))
        assert seen("/api/queues/length") == {"active_queues": [{"name": "control", "messages": 0}]}
    log = (tmp_path / "flower.log").read_text()
    assert "ermission" not in log
    assert "Traceback" not in log


@pytest.mark.integration
@pytest.mark.parametrize("path", ["/", "/workers", "/api/tasks", "/api/workers", "/broker"])
def test_the_dashboard_is_closed_without_the_password(dashboard: StackAddresses, path: str) -> None:
    assert get(dashboard, path)[0] == 401
    assert get(dashboard, path, password="guessed")[0] == 401


@pytest.mark.integration
def test_the_dashboard_cannot_send_tasks_even_with_the_password(
    valkey: RunningBroker, dashboard: StackAddresses
) -> None:
    login = base64.b64encode(f"{dashboard.flower_user}:{dashboard.flower_password}".encode()).decode()
    request = urllib.request.Request(
        f"{dashboard.flower_url}/api/task/send-task/outrider.install",
        data=b'{"args": []}',
        headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
        method="POST",
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    caught.value.close()
    assert caught.value.code >= 400
    with redis.Redis.from_url(valkey.control_url) as control:
        assert control.llen("control") == 0
