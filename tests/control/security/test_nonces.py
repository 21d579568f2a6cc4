"""Nonces are good once: in one process, in several, and while the broker is away."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis

from contract.clock import ManualClock, SystemClock
from control.security.nonces import BrokerNonces, ProcessNonces, _key
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from tests.support.broker import RunningBroker

LIFE = timedelta(minutes=10)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


def test_a_nonce_is_good_once_for_each_device(clock: ManualClock) -> None:
    nonces = ProcessNonces(clock)
    assert nonces.is_new("one", "n", LIFE)
    assert not nonces.is_new("one", "n", LIFE)
    assert nonces.is_new("two", "n", LIFE)
    assert nonces.is_new("one", "m", LIFE)


def test_a_nonce_is_forgotten_after_its_life(clock: ManualClock) -> None:
    nonces = ProcessNonces(clock)
    nonces.is_new("one", "n", LIFE)
    clock.advance(LIFE - timedelta(seconds=1))
    assert not nonces.is_new("one", "n", LIFE)
    clock.advance(timedelta(seconds=1))
    assert nonces.is_new("one", "n", LIFE)


def test_memory_is_bounded(clock: ManualClock) -> None:
    nonces = ProcessNonces(clock, capacity=10)
    for number in range(1000):
        assert nonces.is_new("one", str(number), LIFE)
    assert len(nonces._used) == 10


@pytest.mark.integration
def test_several_processes_share_what_they_remember(valkey: RunningBroker) -> None:
    device = str(uuid4())
    one, other = (BrokerNonces(valkey.url_of(BrokerUser.API), SystemClock()) for _ in range(2))
    assert one.is_new(device, "n", LIFE)
    assert not other.is_new(device, "n", LIFE)
    assert not one.is_new(device, "n", LIFE)


@pytest.mark.integration
def test_the_broker_forgets_by_itself(valkey: RunningBroker) -> None:
    device = str(uuid4())
    one, other = (BrokerNonces(valkey.url_of(BrokerUser.API), SystemClock()) for _ in range(2))
    one.is_new(device, "n", timedelta(milliseconds=1))
    with redis.Redis.from_url(valkey.control_url) as tester:
        assert wait_until(lambda: not tester.exists(_key(device, "n")), seconds=5)
    assert other.is_new(device, "n", LIFE)


@pytest.mark.integration
def test_without_the_broker_a_process_remembers_by_itself_and_asks_again_later(clock: ManualClock) -> None:
    nonces = BrokerNonces("redis://127.0.0.1:1/0", clock)
    assert nonces.is_new("one", "n", LIFE)
    assert not nonces.is_new("one", "n", LIFE)
    assert nonces._asked_again_at > clock.monotonic()
