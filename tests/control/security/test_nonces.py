"""Nonces are good once: in one process, in several, and while the broker is away."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis

from contract.clock import ManualClock, SystemClock
from control.security.nonces import BrokerNonces, NonceMemory, ProcessNonces, _key
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from tests.support.broker import RunningBroker

LIFE = timedelta(minutes=10)


def is_new(nonces: NonceMemory, device: str, nonce: str, lifetime: timedelta = LIFE) -> bool:
    return asyncio.run(nonces.is_new(device, nonce, lifetime))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC))


def test_a_nonce_is_good_once_for_each_device(clock: ManualClock) -> None:
    nonces = ProcessNonces(clock)
    assert is_new(nonces, "one", "n")
    assert not is_new(nonces, "one", "n")
    assert is_new(nonces, "two", "n")
    assert is_new(nonces, "one", "m")


def test_a_nonce_is_forgotten_after_its_life(clock: ManualClock) -> None:
    nonces = ProcessNonces(clock)
    is_new(nonces, "one", "n")
    clock.advance(LIFE - timedelta(seconds=1))
    assert not is_new(nonces, "one", "n")
    clock.advance(timedelta(seconds=1))
    assert is_new(nonces, "one", "n")


def test_memory_is_bounded(clock: ManualClock) -> None:
    nonces = ProcessNonces(clock, capacity=10)
    for number in range(1000):
        assert is_new(nonces, "one", str(number))
    assert len(nonces._used) == 10


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is slow to answer counts as there: without its word each process remembers by itself."""
    monkeypatch.setattr("control.security.nonces._TIMEOUT_SECONDS", 60)


@pytest.mark.integration
@pytest.mark.usefixtures("patient")
def test_several_processes_share_what_they_remember(valkey: RunningBroker) -> None:
    device = str(uuid4())
    one, other = (BrokerNonces(valkey.url_of(BrokerUser.API), SystemClock()) for _ in range(2))
    assert is_new(one, device, "n")
    assert not is_new(other, device, "n")
    assert not is_new(one, device, "n")


@pytest.mark.integration
@pytest.mark.usefixtures("patient")
def test_nonces_that_arrive_together_are_judged_one_by_one(valkey: RunningBroker) -> None:
    device = str(uuid4())
    known, nonces = (BrokerNonces(valkey.url_of(BrokerUser.API), SystemClock()) for _ in range(2))
    assert is_new(known, device, "3")

    async def all_of(*used: str) -> list[bool]:
        return await asyncio.gather(*(nonces.is_new(device, nonce, LIFE) for nonce in used))

    assert asyncio.run(all_of("1", "2", "3", "2", "4")) == [True, True, False, False, True]


@pytest.mark.integration
def test_the_broker_forgets_by_itself(valkey: RunningBroker) -> None:
    device = str(uuid4())
    one, other = (BrokerNonces(valkey.url_of(BrokerUser.API), SystemClock()) for _ in range(2))
    is_new(one, device, "n", timedelta(milliseconds=1))
    with redis.Redis.from_url(valkey.control_url) as tester:
        assert wait_until(lambda: not tester.exists(_key(device, "n")), seconds=60)
    assert is_new(other, device, "n")


@pytest.mark.integration
def test_without_the_broker_a_process_remembers_by_itself_and_asks_again_later(clock: ManualClock) -> None:
    nonces = BrokerNonces("redis://127.0.0.1:1/0", clock)
    assert is_new(nonces, "one", "n")
    assert not is_new(nonces, "one", "n")
    assert nonces._asked_again_at > clock.monotonic()
