"""Devices of one process at several real brokers: each is read for where it listens, and only there."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import uuid4

import pytest
import redis

from contract.queues import device_broker_user, device_queue, processing_list
from control.fleet.broker_users import RedisBrokerUsers
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from deploy.local.valkey import broker_part
from deploy.simulation.brokers import Brokers
from deploy.simulation.queues import Message
from tests.support.broker import RunningBroker, let_tester_in, running_broker
from tests.support.servers import running
from tests.worker.rig import Rig
from worker.identity import Identity

_SECONDS = 60
pytestmark = [pytest.mark.integration, pytest.mark.timeout(4 * _SECONDS)]

SECRET = "a secret"


@dataclass
class Heard:
    """What a process hears of the brokers that it reads at."""

    let_in: SimpleQueue[Identity] = field(default_factory=SimpleQueue)
    messages: SimpleQueue[Message] = field(default_factory=SimpleQueue)
    ended: list[Future[None]] = field(default_factory=list)

    def reading(self) -> Brokers:
        """To be used as a block."""
        return Brokers(self._let_in, self.messages.put, self.ended.append)

    def who_is_let_in(self) -> Identity:
        return self.let_in.get(timeout=_SECONDS)

    def message(self) -> Message:
        return self.messages.get(timeout=_SECONDS)

    def _let_in(self, devices: Sequence[Identity]) -> None:
        for device in devices:
            self.let_in.put(device)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def one(valkey: RunningBroker) -> RunningBroker:
    return valkey


@pytest.fixture
def two(tmp_path: Path) -> Iterator[RunningBroker]:
    with running_broker(tmp_path / "two") as broker:
        yield broker


@pytest.fixture
def device_at(rig: Rig) -> Callable[[RunningBroker], Identity]:
    """A new device that listens at a broker, which lets it in."""

    def make(broker: RunningBroker) -> Identity:
        device_id = str(uuid4())
        known = {"device_id": device_id, "broker_user": device_broker_user(device_id), "broker_secret": SECRET}
        users(broker).put({device_id: SECRET})
        return rig.identity.model_copy(update={**known, "broker_url": broker.device_url})

    return make


def users(broker: RunningBroker) -> RedisBrokerUsers:
    return RedisBrokerUsers(broker.url_of(BrokerUser.FLEET))


def send(broker: RunningBroker, device: Identity, raw: bytes) -> None:
    with redis.Redis.from_url(broker.control_url) as tester:
        tester.lpush(device_queue(device.device_id), raw)


def lengths(broker: RunningBroker, device: Identity) -> tuple[Any, Any]:
    """How many messages wait for a device, and how many it has taken and not finished."""
    queue = device_queue(device.device_id)
    with redis.Redis.from_url(broker.control_url) as tester:
        return tester.llen(queue), tester.llen(processing_list(queue))


DeviceAt = Callable[[RunningBroker], Identity]


def test_each_is_read_for_and_acknowledged_at_its_own_broker(
    heard: Heard, one: RunningBroker, two: RunningBroker, device_at: DeviceAt
) -> None:
    here, there = device_at(one), device_at(two)
    send(one, here, b"here")
    send(two, there, b"there")
    with heard.reading() as brokers:
        brokers.listen(here)
        brokers.listen(there)
        taken = {heard.message(), heard.message()}
        assert taken == {Message(here, b"here"), Message(there, b"there")}
        assert (lengths(one, here), lengths(two, there)) == ((0, 1), (0, 1))
        for message in taken:
            brokers.finish(message)
        assert wait_until(lambda: lengths(one, here) == lengths(two, there) == (0, 0), seconds=_SECONDS)
    assert [run.exception() for run in heard.ended] == [None, None]


def test_what_was_taken_and_not_finished_is_taken_again_the_next_time(
    heard: Heard, one: RunningBroker, device_at: DeviceAt
) -> None:
    device = device_at(one)
    send(one, device, b"older")
    send(one, device, b"newer")
    for _ in range(2):
        with heard.reading() as brokers:
            brokers.listen(device)
            assert [heard.message().raw, heard.message().raw] == [b"older", b"newer"]


def test_one_that_has_left_is_read_for_only_where_it_is_now(
    heard: Heard, one: RunningBroker, two: RunningBroker, device_at: DeviceAt
) -> None:
    device, other = device_at(one), device_at(one)
    users(two).put({device.device_id: SECRET})
    moved = device.model_copy(update={"broker_url": two.device_url})
    with heard.reading() as brokers:
        brokers.listen(device)
        brokers.listen(other)
        assert {heard.who_is_let_in().device_id for _ in range(2)} == {device.device_id, other.device_id}
        brokers.listen(moved)
        assert heard.who_is_let_in() is moved
        brokers.leave(device)
        # A look that has begun may still take for who has just left; the next one does not.
        send(one, other, b"meanwhile")
        assert heard.message() == Message(other, b"meanwhile")
        send(one, device, b"too late")
        # Whoever takes this one looks for the other one's, too.
        send(one, other, b"in time")
        assert heard.message() == Message(other, b"in time")
        send(two, device, b"brought")
        assert heard.message() == Message(moved, b"brought")
        assert lengths(one, device) == (1, 0)


def test_one_that_comes_back_is_read_for_again(
    heard: Heard, one: RunningBroker, two: RunningBroker, device_at: DeviceAt
) -> None:
    device = device_at(one)
    users(two).put({device.device_id: SECRET})
    there = device.model_copy(update={"broker_url": two.device_url})
    back = device.model_copy()
    with heard.reading() as brokers:
        for left, now in ((None, device), (device, there), (there, back)):
            brokers.listen(now)
            assert heard.who_is_let_in() is now
            if left is not None:
                brokers.leave(left)
        send(one, device, b"as before")
        assert heard.message().device is back


def test_one_that_is_not_let_in_keeps_nobody_out_and_is_let_in_later(
    heard: Heard, one: RunningBroker, device_at: DeviceAt
) -> None:
    stranger, other = device_at(one), device_at(one)
    users(one).put({stranger.device_id: "another secret"})
    send(one, stranger, b"for a stranger")
    with heard.reading() as brokers:
        brokers.listen(stranger)
        brokers.listen(other)
        assert heard.who_is_let_in() is other
        send(one, other, b"for another")
        assert heard.message() == Message(other, b"for another")
        users(one).put({stranger.device_id: SECRET})
        assert heard.who_is_let_in() is stranger
        assert heard.message() == Message(stranger, b"for a stranger")


def test_one_that_is_retired_keeps_nobody_from_being_read_for(
    heard: Heard, one: RunningBroker, device_at: DeviceAt
) -> None:
    first, retired = device_at(one), device_at(one)
    with heard.reading() as brokers:
        brokers.listen(first)
        brokers.listen(retired)
        assert {heard.who_is_let_in().device_id for _ in range(2)} == {first.device_id, retired.device_id}
        users(one).remove(retired.device_id)
        send(one, first, b"all the same")
        assert heard.message() == Message(first, b"all the same")


def test_a_broker_that_is_down_concerns_only_its_devices(
    heard: Heard, one: RunningBroker, two: RunningBroker, device_at: DeviceAt, tmp_path: Path
) -> None:
    port, folder = find_free_port(), tmp_path / "three"
    let_tester_in(folder)
    three = RunningBroker(port=port, users_file=folder / "users.acl", secrets=two.secrets)
    here, there = device_at(one), device_at(two).model_copy(update={"broker_url": three.device_url})
    send(one, here, b"here")
    with heard.reading() as brokers:
        brokers.listen(there)
        brokers.listen(here)
        assert heard.message() == Message(here, b"here")
        with running(broker_part(folder, port, three.secrets), folder):
            users(three).put({there.device_id: SECRET})
            send(three, there, b"there")
            assert heard.message() == Message(there, b"there")
        send(one, here, b"here still")
        assert heard.message() == Message(here, b"here still")


def test_an_error_at_one_of_them_is_told(one: RunningBroker, device_at: DeviceAt) -> None:
    device = device_at(one)
    send(one, device, b"anything")
    ended: SimpleQueue[Future[None]] = SimpleQueue()

    def fail(message: Message) -> None:
        raise ValueError(message.raw)

    with Brokers(lambda _let_in: None, fail, ended.put) as brokers:
        brokers.listen(device)
        assert str(ended.get(timeout=_SECONDS).exception()) == "b'anything'"
