"""A device's broker user on a real broker: what it needs is allowed, and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from uuid import uuid4

import pytest
import redis

from contract.errors import UnavailableError
from contract.queues import device_broker_user, device_queue, processing_list
from control.fleet.broker_users import RedisBrokerUsers, secret_hash
from deploy.local.broker_rules import BrokerUser
from deploy.local.ports import find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.support.broker import RunningBroker
from tests.support.servers import running

pytestmark = pytest.mark.integration

Attack = Callable[[redis.Redis, str], object]

#: Within which a broker with a large fleet does anything, on a machine that is busy with other things as well.
SECONDS = 20


@pytest.fixture
def own_id() -> str:
    return str(uuid4())


@pytest.fixture
def device(valkey: RunningBroker, own_id: str) -> Iterator[redis.Redis]:
    RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET)).put({own_id: "secret"})
    with connected(valkey, own_id, "secret") as connection:
        yield connection


def connected(valkey: RunningBroker, device_id: str, secret: str) -> redis.Redis:
    return redis.Redis(
        host="127.0.0.1", port=valkey.port, username=device_broker_user(device_id), password=secret, protocol=2
    )


def test_a_device_moves_acknowledges_and_gives_back_its_messages(device: redis.Redis, own_id: str) -> None:
    queue = device_queue(own_id)
    device.lpush(queue, b"one", b"two")
    assert device.blmove(queue, processing_list(queue), 1, "RIGHT", "LEFT") == b"one"
    assert device.llen(processing_list(queue)) == 1
    with device.pipeline(transaction=True) as pipe:
        pipe.lrem(processing_list(queue), 1, "one")
        pipe.rpush(queue, b"one")
        pipe.execute()
    assert device.llen(queue) == 2


def test_a_device_tells_flower_what_it_does(device: redis.Redis) -> None:
    assert device.publish("/0.celeryev/worker.heartbeat", "{}") == 0


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(lambda r, other: r.lrange(device_queue(other), 0, -1), id="read another queue"),
        pytest.param(lambda r, other: r.rpop(device_queue(other)), id="pop another queue"),
        pytest.param(lambda r, other: r.lpush(device_queue(other), b"x"), id="write another queue"),
        pytest.param(lambda r, other: r.llen(device_queue(other)), id="count another queue"),
        pytest.param(lambda r, _: r.lpush("control", b"x"), id="write the control plane's queue"),
        pytest.param(lambda r, _: r.keys("*"), id="list the keys"),
        pytest.param(lambda r, _: r.scan(), id="scan the keys"),
        pytest.param(lambda r, _: r.flushall(), id="empty the broker"),
        pytest.param(lambda r, _: r.config_get("*"), id="read the configuration"),
        pytest.param(lambda r, _: r.acl_list(), id="list the users"),
        pytest.param(lambda r, _: r.client_list(), id="list the connections"),
        pytest.param(lambda r, _: r.eval("return 1", 0), id="run a script"),
        pytest.param(lambda r, _: r.publish("elsewhere", "x"), id="publish elsewhere"),
        pytest.param(lambda r, _: listen(r), id="listen to events"),
    ],
)
def test_everything_else_is_refused(valkey: RunningBroker, device: redis.Redis, attack: Attack) -> None:
    other = str(uuid4())
    RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET)).put({other: "other"})
    with pytest.raises(redis.exceptions.NoPermissionError):
        attack(device, other)


def test_what_is_refused_is_counted_by_what_was_not_allowed(
    valkey: RunningBroker, own_id: str, device: redis.Redis
) -> None:
    users = RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET))
    before = users.refused()
    for forbidden in (lambda: device.lrange(device_queue(str(uuid4())), 0, -1), device.flushall):
        with pytest.raises(redis.exceptions.NoPermissionError):
            forbidden()
    with connected(valkey, own_id, "wrong") as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    grown = {what: count - before[what] for what, count in users.refused().items()}
    assert min(grown["auth"], grown["cmd"] + grown["key"]) >= 1
    assert sum(grown.values()) >= 3


def listen(connection: redis.Redis) -> object:
    events = connection.pubsub()  # type: ignore[no-untyped-call]  # the library leaves it untyped
    events.psubscribe("/0.celeryev/*")
    return events.parse_response(timeout=20)


def test_a_new_secret_voids_the_old_one(valkey: RunningBroker, own_id: str) -> None:
    users = RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET))
    users.put({own_id: "old"})
    users.put({own_id: "new"})
    with connected(valkey, own_id, "old") as old, pytest.raises(redis.AuthenticationError):
        old.ping()
    with connected(valkey, own_id, "new") as new:
        assert new.ping()


def test_devices_that_come_together_are_each_let_in_by_their_own_secret(valkey: RunningBroker) -> None:
    secrets = {str(uuid4()): f"secret {number}" for number in range(3)}
    RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET)).put(secrets)
    for device_id, secret in secrets.items():
        with connected(valkey, device_id, secret) as device:
            assert device.ping()


def test_a_removed_device_is_cut_off_at_once(valkey: RunningBroker, own_id: str, device: redis.Redis) -> None:
    assert device.ping()
    RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET)).remove(own_id)
    with pytest.raises(redis.ConnectionError):
        device.ping()
    RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET)).remove(own_id)


def test_saved_users_outlive_the_broker(valkey: RunningBroker, own_id: str, device: redis.Redis) -> None:
    RedisBrokerUsers(valkey.url_of(BrokerUser.FLEET)).save({own_id: secret_hash("secret")})
    assert device_broker_user(own_id) in valkey.users_file.read_text(encoding="utf-8")


def test_a_broker_that_is_not_there_is_named_unavailable() -> None:
    with pytest.raises(UnavailableError, match="broker does not answer"):
        RedisBrokerUsers("redis://127.0.0.1:1/0").put({"someone": "secret"})


def test_a_refusal_never_repeats_the_secret(valkey: RunningBroker, own_id: str, device: redis.Redis) -> None:
    own_url = f"redis://{device_broker_user(own_id)}:secret@127.0.0.1:{valkey.port}/0"
    with pytest.raises(UnavailableError) as caught:
        RedisBrokerUsers(own_url).put({"someone": "a-new-secret"})
    assert "a-new-secret" not in str(caught.value)
    assert "NoPermission" in caught.value.detail


def test_ten_thousand_devices_are_let_in_within_seconds_and_strangers_are_shut_out(
    tmp_path: Path, own_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured on two shared cores: 10,000 users in 0.4 s, one more with its saving in 24 ms."""
    monkeypatch.setattr("control.fleet.broker_users._TIMEOUT_SECONDS", SECONDS)
    secrets, port = StackSecrets(), find_free_port()
    fleet = f"redis://fleet:{secrets.broker[BrokerUser.FLEET]}@127.0.0.1:{port}/0"
    hashes = {str(uuid4()): secret_hash("secret") for _ in range(10_000)} | {own_id: secret_hash("mine")}
    with running(broker_part(tmp_path, port, secrets), tmp_path):
        users = RedisBrokerUsers(fleet)
        users.put({"stranger": "secret"})
        assert seconds(lambda: users.renew(hashes)) < SECONDS
        assert seconds(lambda: users.put({"one-more": "secret"})) < SECONDS
    assert "device.stranger " not in (tmp_path / "users.acl").read_text(encoding="utf-8")
    started = monotonic()
    with running(broker_part(tmp_path, port, secrets), tmp_path):
        assert monotonic() - started < SECONDS
        with redis.Redis(port=port, username=device_broker_user(own_id), password="mine", protocol=2) as device:
            assert device.ping()


def seconds(work: Callable[[], object]) -> float:
    started = monotonic()
    work()
    return monotonic() - started
