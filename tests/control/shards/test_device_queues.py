"""What waits for devices is moved between two real brokers, as the user who may."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from contract.errors import UnavailableError
from contract.queues import device_queue, processing_list
from control.shards.device_queues import RedisDeviceQueues
from deploy.local.broker_rules import BrokerUser
from deploy.local.ports import HOST, find_free_port
from tests.support.broker import RunningBroker

pytestmark = pytest.mark.integration


@pytest.fixture
def tester(valkey: RunningBroker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(valkey.control_url) as connection:
        yield connection


@pytest.fixture
def queues(valkey: RunningBroker) -> RedisDeviceQueues:
    return RedisDeviceQueues(valkey.url_of(BrokerUser.FLEET))


@pytest.fixture
def device() -> str:
    return str(uuid4())


def test_what_was_taken_comes_last_and_is_taken_first_again(
    queues: RedisDeviceQueues, tester: redis.Redis, device: str
) -> None:
    queue = device_queue(device)
    tester.lpush(queue, b"1", b"2", b"3", b"4")
    for _ in range(2):
        tester.lmove(queue, processing_list(queue), "RIGHT", "LEFT")
    found = queues.contents([device, str(uuid4())])
    assert found == {device: [b"4", b"3", b"2", b"1"]}


def test_messages_are_put_before_those_that_were_sent_since_and_never_twice(
    queues: RedisDeviceQueues, tester: redis.Redis, device: str
) -> None:
    queue = device_queue(device)
    tester.lpush(queue, b"since")
    for _ in range(2):
        queues.put_first({device: [b"3", b"2", b"1"]})
    assert tester.lmove(queue, processing_list(queue), "RIGHT", "LEFT") == b"1"
    queues.put_first({device: [b"3", b"2", b"1"]})
    assert tester.lrange(queue, 0, -1) == [b"since", b"3", b"2"]


def test_exactly_what_was_brought_is_taken_away(queues: RedisDeviceQueues, tester: redis.Redis, device: str) -> None:
    queue = device_queue(device)
    tester.lpush(queue, b"1", b"2")
    tester.lpush(processing_list(queue), b"0")
    brought = queues.contents([device])
    tester.lpush(queue, b"late")
    for _ in range(2):
        queues.drop(brought)
    assert queues.contents([device]) == {device: [b"late"]}


def test_a_broker_that_is_away_is_told(device: str) -> None:
    away = RedisDeviceQueues(f"redis://{HOST}:{find_free_port()}/0")
    for asked in (lambda: away.contents([device]), lambda: away.drop({device: [b"1"]})):
        with pytest.raises(UnavailableError):
            asked()


@pytest.mark.parametrize("user", [BrokerUser.API, BrokerUser.WORKER])
def test_no_other_part_may_read_what_waits_for_a_device(valkey: RunningBroker, device: str, user: BrokerUser) -> None:
    with pytest.raises(UnavailableError, match="permission"):
        RedisDeviceQueues(valkey.url_of(user)).contents([device])
