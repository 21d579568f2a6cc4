"""A device goes where it is told to listen, if it can, and stays where it is otherwise."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from contract.clock import SystemClock
from contract.jobs import JobRef
from deploy.local.polling import wait_until
from deploy.local.ports import HOST, find_free_port
from tests.support.broker import RunningBroker
from tests.worker.queue_end import enrolled_device
from tests.worker.rig import Rig
from worker.activity import Activity
from worker.celery_app import reaches_broker
from worker.departure import Departure
from worker.identity import Identity, load_identity, save_identity
from worker.relocation import Relocation
from worker.settings import AgentSettings
from worker.uplink.addresses import require_secure_broker

ELSEWHERE = "redis://127.0.0.1:2/0"


@dataclass
class Move:
    """A relocation with its parts played, and what came of it."""

    identity: Identity
    path: Path
    reaches: bool = True
    left: int = 0
    ended: list[int] = field(default_factory=list)
    activity: Activity = field(default_factory=lambda: Activity(SystemClock()))

    def __post_init__(self) -> None:
        save_identity(self.identity, self.path)
        settings = AgentSettings(state_dir=self.path.parent)
        departure = Departure(self.activity, SystemClock(), limit_seconds=math.inf, end=self.ended.append)
        self.relocation = Relocation(
            self.identity,
            self.path,
            require_secure=lambda url: require_secure_broker(settings, url),
            reaches=lambda identity: self.reaches and identity.broker_url == ELSEWHERE,
            leave=self._leave,
            departure=departure,
        )

    def _leave(self) -> None:
        self.left += 1

    def kept_url(self) -> str:
        return load_identity(self.path).broker_url


@pytest.fixture
def move(rig: Rig, tmp_path: Path) -> Iterator[Move]:
    made = Move(rig.identity, tmp_path / "identity.json")
    yield made
    made.relocation.conclude()


def test_a_device_that_is_told_nothing_stays(move: Move) -> None:
    move.relocation.consider(None)
    assert (move.left, move.relocation.conclude()) == (0, False)
    assert move.kept_url() == move.identity.broker_url


def test_it_keeps_the_new_address_before_it_leaves_and_leaves_once(move: Move) -> None:
    move.relocation.consider(ELSEWHERE)
    move.relocation.consider(ELSEWHERE)
    assert (move.left, move.relocation.conclude()) == (1, True)
    kept = load_identity(move.path)
    assert kept.broker_url == ELSEWHERE
    assert kept.model_copy(update={"broker_url": move.identity.broker_url}) == move.identity


def test_a_broker_that_it_cannot_reach_is_not_gone_to_until_it_can(move: Move) -> None:
    move.reaches = False
    move.relocation.consider(ELSEWHERE)
    assert (move.left, move.kept_url()) == (0, move.identity.broker_url)
    move.reaches = True
    move.relocation.consider(ELSEWHERE)
    assert (move.left, move.kept_url()) == (1, ELSEWHERE)


def test_plain_text_to_another_machine_is_refused_whoever_says_so(move: Move) -> None:
    move.relocation.consider("redis://broker.example:6379/0")
    assert (move.left, move.relocation.conclude()) == (0, False)
    assert move.kept_url() == move.identity.broker_url


@pytest.mark.integration
def test_an_agent_that_cannot_let_go_of_a_broker_that_is_gone_ends_and_is_started_anew_by_its_manager(
    move: Move,
) -> None:
    with move.activity.working_on(JobRef(job_id=str(uuid4()), generation=1, attempt=1)):
        move.relocation.consider(ELSEWHERE)
        assert not wait_until(lambda: bool(move.ended), seconds=1), "a phase in progress is finished first"
    assert wait_until(lambda: bool(move.ended), seconds=20)
    assert move.ended == [0]


@pytest.mark.integration
def test_only_a_broker_that_lets_the_device_to_its_queue_is_reached(valkey: RunningBroker) -> None:
    with enrolled_device(valkey) as device:
        assert reaches_broker(device.identity)
        assert not reaches_broker(device.identity.model_copy(update={"broker_secret": "another"}))
        nowhere = f"redis://{HOST}:{find_free_port()}/0"
        assert not reaches_broker(device.identity.model_copy(update={"broker_url": nowhere}))
