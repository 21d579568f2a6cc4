"""The transport against a real Valkey: where a message stands at each moment, and what brings it back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from kombu import Connection, Consumer, Queue
from kombu.exceptions import OperationalError

from contract.moving_transport import TRANSPORT_NAME
from contract.queues import processing_list
from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration

QUEUE = "device.11111111-2222-4333-8444-555555555555"
PROCESSING = processing_list(QUEUE)


@dataclass
class Device:
    """One connection that consumes the queue and keeps what it was given."""

    connection: Any
    messages: list[Any] = field(default_factory=list)

    def wait_for(self, count: int) -> list[Any]:
        while len(self.messages) < count:
            self.connection.drain_events(timeout=10)
        return [message.payload for message in self.messages]

    def expect_silence(self) -> None:
        with pytest.raises(TimeoutError):
            self.connection.drain_events(timeout=1.5)


Consume = Callable[[], Any]


@pytest.fixture(scope="module")
def valkey_url(valkey: RunningBroker) -> str:
    """The broker as a user who may also cut connections."""
    return valkey.control_url


@pytest.fixture
def broker(valkey_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(valkey_url)
    client.delete(QUEUE, PROCESSING)
    yield client
    client.delete(QUEUE, PROCESSING)
    client.close()


def _connect(url: str) -> Any:
    return Connection(url, transport=TRANSPORT_NAME, transport_options={"polling_interval": 1, "socket_timeout": 3})


@pytest.fixture
def consume(valkey_url: str, broker: redis.Redis) -> Consume:
    @contextmanager
    def device() -> Iterator[Device]:
        with _connect(valkey_url) as connection:
            self = Device(connection)
            queue = Queue(QUEUE, exchange="", routing_key=QUEUE)
            with Consumer(
                connection,
                [queue],
                on_message=self.messages.append,
                accept=["json"],
                prefetch_count=10,
            ):
                yield self

    return device


@pytest.fixture
def send(valkey_url: str, broker: redis.Redis) -> Callable[[Any], None]:
    def publish(payload: Any) -> None:
        with _connect(valkey_url) as connection:
            connection.Producer().publish(payload, exchange="", routing_key=QUEUE, serializer="json")

    return publish


def _lengths(broker: redis.Redis) -> tuple[Any, Any]:
    return broker.llen(QUEUE), broker.llen(PROCESSING)


def test_a_message_is_in_exactly_one_list_until_it_is_acknowledged(
    broker: redis.Redis, consume: Consume, send: Callable[[Any], None]
) -> None:
    send("a")
    assert _lengths(broker) == (1, 0)
    with consume() as device:
        assert device.wait_for(1) == ["a"]
        assert _lengths(broker) == (0, 1)
        device.messages[0].ack()
        assert _lengths(broker) == (0, 0)


def test_what_was_taken_and_not_acknowledged_comes_back_at_the_next_start_in_order(
    broker: redis.Redis, consume: Consume, send: Callable[[Any], None]
) -> None:
    for name in "abcd":
        send(name)
    with consume() as device:
        assert device.wait_for(4) == ["a", "b", "c", "d"]
        device.messages[1].ack()
    assert _lengths(broker) == (0, 3)
    with consume() as device:
        assert device.wait_for(3) == ["a", "c", "d"]


def test_a_rejected_message_goes_and_a_requeued_one_is_the_next(
    broker: redis.Redis, consume: Consume, send: Callable[[Any], None]
) -> None:
    send("unwanted")
    send("again")
    with consume() as device:
        device.wait_for(2)
        device.messages[0].reject()
        device.messages[1].requeue()
        assert device.wait_for(3) == ["unwanted", "again", "again"]
        assert _lengths(broker) == (0, 1)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"5",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"{" * 100_000,
        b'{"properties": {"delivery_tag": {}}, "body": ""}',
        b'{"properties": {"delivery_tag": "t"}, "body": []}',
        b'{"properties": 1, "body": ""}',
    ],
)
def test_what_is_no_message_is_dropped_and_the_next_one_comes(
    broker: redis.Redis, consume: Consume, send: Callable[[Any], None], raw: bytes
) -> None:
    broker.lpush(QUEUE, raw)
    send("good")
    with consume() as device:
        assert device.wait_for(1) == ["good"]
        device.messages[0].ack()
    assert _lengths(broker) == (0, 0)


def test_a_message_finished_on_a_lost_connection_is_not_run_again(
    broker: redis.Redis, consume: Consume, send: Callable[[Any], None]
) -> None:
    send("done")
    send("not done")
    with consume() as device:
        device.wait_for(2)
        _refuse_connections(broker, device, device.messages[0])
    with consume() as device:
        assert device.wait_for(1) == ["not done"]
        device.expect_silence()


def _refuse_connections(broker: redis.Redis, device: Device, message: Any) -> None:
    """Acknowledge while the broker answers nobody but this test."""
    broker.config_set("maxclients", 1)
    try:
        for client in broker.client_list():
            if int(client["id"]) != broker.client_id():
                broker.client_kill_filter(_id=client["id"])
        with pytest.raises((OperationalError, redis.RedisError, OSError)):
            message.ack()
    finally:
        broker.config_set("maxclients", 1000)


def test_a_silent_connection_is_dropped(consume: Consume, send: Callable[[Any], None], broker: redis.Redis) -> None:
    with consume() as device:
        with pytest.raises(TimeoutError):
            device.connection.drain_events(timeout=0.2)
        broker.client_kill_filter(_type="normal", skipme=True)
        send("after the cut")
        with pytest.raises((OperationalError, redis.RedisError, OSError)):
            device.wait_for(1)
    with consume() as device:
        assert device.wait_for(1) == ["after the cut"]


def test_a_message_may_be_amended_when_it_is_taken_and_is_acknowledged_as_it_was_sent(
    valkey_url: str, broker: redis.Redis, send: Callable[[Any], None]
) -> None:
    def amend(message: dict[str, Any]) -> None:
        message["headers"]["eta"] = "later"

    send("a")
    options = {"polling_interval": 1, "socket_timeout": 3, "amend": amend}
    with Connection(valkey_url, transport=TRANSPORT_NAME, transport_options=options) as connection:
        device = Device(connection)
        queue = Queue(QUEUE, exchange="", routing_key=QUEUE)
        with Consumer(connection, [queue], on_message=device.messages.append, accept=["json"]):
            device.wait_for(1)
            assert device.messages[0].headers["eta"] == "later"
            device.messages[0].ack()
    assert _lengths(broker) == (0, 0)
