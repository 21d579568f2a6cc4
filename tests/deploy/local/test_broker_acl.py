"""What the broker's users may do and may not, asked of the real broker."""

import base64
import json
import stat
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from control.dispatch.celery_app import make_app
from deploy.local.addresses import StackAddresses, resolve
from deploy.local.broker_acl import write_users
from deploy.local.broker_rules import RULES, BrokerUser
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
def as_user(valkey: RunningBroker) -> Iterator[Callable[[BrokerUser], redis.Redis]]:
    """Connections as the users of the parts."""
    with ExitStack() as connections:
        yield lambda user: connections.enter_context(redis.Redis.from_url(valkey.url_of(user), decode_responses=True))


@pytest.fixture
def tester(valkey: RunningBroker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.control_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def no_requests(tester: redis.Redis) -> None:
    """Nothing waits for the control plane, whatever programs that were ended in other tests left there."""
    tester.delete("control", "unacked", "unacked_index", "unacked_mutex")


def order(client: redis.Redis, *words: str) -> object:
    return client.execute_command(*words)  # type: ignore[no-untyped-call]  # the library leaves it untyped


#: A message as kombu writes it.
REQUEST = {
    "body": "e30=",
    "content-type": "application/json",
    "content-encoding": "utf-8",
    "headers": {},
    "properties": {
        "delivery_tag": "t1",
        "delivery_info": {"exchange": "", "routing_key": "control"},
        "body_encoding": "base64",
    },
}

# --- the file ---------------------------------------------------------------------------------------------------------


PASSWORDS = {user: f"secret-of-{user}" for user in BrokerUser}


def test_the_users_file_holds_digests_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    write_users(tmp_path / "users.acl", PASSWORDS)
    text = (tmp_path / "users.acl").read_text()
    assert "secret" not in text
    assert "user default reset off" in text
    assert stat.S_IMODE((tmp_path / "users.acl").stat().st_mode) == 0o600


def test_writing_the_users_again_keeps_devices_and_renews_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "users.acl"
    write_users(file, PASSWORDS)
    before = file.read_text()
    file.write_text(before + "user device.d1 on #abc -@all ~device.d1\n")
    write_users(file, {**PASSWORDS, BrokerUser.API: "another"})
    lines = file.read_text().splitlines()
    assert lines[-1] == "user device.d1 on #abc -@all ~device.d1"
    assert [line.split()[1] for line in lines] == ["default", *BrokerUser, "device.d1"]
    assert lines[1] != before.splitlines()[1]
    assert lines[2:-1] == before.splitlines()[2:]


# --- the control plane ------------------------------------------------------------------------------------------------

AsUser = Callable[[BrokerUser], redis.Redis]


@pytest.mark.integration
@pytest.mark.usefixtures("no_requests")
def test_each_part_may_do_its_own_work(as_user: AsUser, tester: redis.Redis) -> None:
    assert as_user(BrokerUser.API).set("nonce.d1.n1", "", nx=True, px=1000)
    assert as_user(BrokerUser.WORKER).lpush("device.acl-test", "a job") == 1
    with as_user(BrokerUser.WORKER).pipeline(transaction=True) as pipe:
        pipe.llen("device.acl-test")
        pipe.llen("processing.device.acl-test")
        assert pipe.execute() == [1, 0]
    assert as_user(BrokerUser.WORKER).publish("/0.celeryev/worker.heartbeat", "{}") == 0
    assert as_user(BrokerUser.SCHEDULER).llen("control") == 0
    assert as_user(BrokerUser.FLEET).delete("device.acl-test", "processing.device.acl-test") == 1
    assert as_user(BrokerUser.HEALTH).ping()
    assert tester.llen("device.acl-test") == 0


@pytest.mark.integration
@pytest.mark.usefixtures("no_requests")
def test_a_worker_that_was_killed_leaves_its_request_to_the_next(valkey: RunningBroker, as_user: AsUser) -> None:
    app = make_app(valkey.url_of(BrokerUser.WORKER))
    with app.connection_for_read() as connection, connection.channel() as channel:
        channel.client.lpush("control", json.dumps(REQUEST))
        channel.basic_consume("control", no_ack=False, callback=lambda _: None, consumer_tag="t")
        channel.connection.drain_events(channel.connection, timeout=5)
        assert as_user(BrokerUser.SCHEDULER).llen("control") == 0
        channel.visibility_timeout = -1
        channel.qos.restore_visible()
    assert as_user(BrokerUser.SCHEDULER).llen("control") == 1
    with redis.Redis.from_url(valkey.control_url) as tester:
        tester.delete("control")


@pytest.mark.integration
def test_a_device_user_made_live_survives_kill_and_restart(tmp_path: Path) -> None:
    secrets, port = StackSecrets(), find_free_port()
    fleet_url = f"redis://fleet:{secrets.broker[BrokerUser.FLEET]}@127.0.0.1:{port}/0"
    device_url = f"redis://device.kept:device-secret@127.0.0.1:{port}/0"
    with running(broker_part(tmp_path, port, secrets), tmp_path) as process:
        with redis.Redis.from_url(fleet_url) as fleet:
            order(fleet, "ACL", "SETUSER", "device.kept", *DEVICE_RULES)
            order(fleet, "ACL", "SAVE")
        process.kill()
        process.wait()
    with running(broker_part(tmp_path, port, secrets), tmp_path), redis.Redis.from_url(device_url) as device:
        assert device.lpush("device.kept", "-") == 1
        with pytest.raises(redis.exceptions.NoPermissionError):
            device.lpush("device.other", "-")


EVERYBODY = [
    "GET secret-of-others",
    "LPUSH elsewhere x",
    "RPOP device.d1",
    "FLUSHALL",
    "KEYS *",
    "SCAN 0",
    "CONFIG GET *",
    "SHUTDOWN NOSAVE",
    "ACL LIST",
    "ACL LOAD",
    "CLIENT LIST",
    "MONITOR",
    "EVAL return(1) 0",
    "REPLICAOF NO ONE",
]
READS_QUEUES = ["LRANGE device.d1 0 -1"]
MAKES_USERS = ["ACL SETUSER me", "ACL DELUSER device.d1", "ACL SAVE", "ACL USERS"]
SENDS_TO_DEVICES = ["LPUSH device.d1 x"]
TAKES_REQUESTS = ["BRPOP control 1"]
ASKS_FOR_WORK = ["LPUSH control x"]
LISTENS = ["SUBSCRIBE /0.celeryev/worker.heartbeat", "PSUBSCRIBE /0.celeryev/*"]
TALKS = ["PUBLISH /0.celery.pidbox x"]

ATTACKS = {
    BrokerUser.API: [
        *EVERYBODY,
        *READS_QUEUES,
        *MAKES_USERS,
        *SENDS_TO_DEVICES,
        *TAKES_REQUESTS,
        *LISTENS,
        *TALKS,
        "GET nonce.d1.n",
    ],
    BrokerUser.WORKER: [*EVERYBODY, *READS_QUEUES, *MAKES_USERS, *LISTENS, *TALKS, "DEL device.d1", "SET nonce.d1.n x"],
    BrokerUser.SCHEDULER: [
        *EVERYBODY,
        *READS_QUEUES,
        *MAKES_USERS,
        *SENDS_TO_DEVICES,
        *TAKES_REQUESTS,
        *LISTENS,
        *TALKS,
    ],
    BrokerUser.FLEET: [*EVERYBODY, *SENDS_TO_DEVICES, *TAKES_REQUESTS, *ASKS_FOR_WORK, *LISTENS, *TALKS, "DEL control"],
    BrokerUser.HEALTH: [
        *(*EVERYBODY, *READS_QUEUES, *MAKES_USERS, *SENDS_TO_DEVICES, *TAKES_REQUESTS, *ASKS_FOR_WORK, *LISTENS, *TALKS)
    ],
}


@pytest.mark.integration
@pytest.mark.parametrize(("user", "attack"), [(user, attack) for user, list_ in ATTACKS.items() for attack in list_])
def test_a_part_may_not(as_user: AsUser, user: BrokerUser, attack: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        order(as_user(user), *attack.split())


def test_every_part_is_attacked() -> None:
    assert {*ATTACKS, BrokerUser.FLOWER} == set(RULES) == set(BrokerUser)


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
def test_the_dashboard_may_not(as_user: AsUser, attack: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        order(as_user(BrokerUser.FLOWER), *attack.split())


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
        command=(sys.executable, "-c", WORKER, valkey.url_of(BrokerUser.WORKER)),
        ready=LogSays(words=" ready."),
        start_timeout=timedelta(seconds=60),
    )
    with running(worker, tmp_path):
        assert wait_until(lambda: "control.plan" in str(seen("/api/tasks?state=SUCCESS")), seconds=45)
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
@pytest.mark.usefixtures("no_requests")
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
