"""A simulated device's turns, without a control plane: what it asks for, and when it wants to be called again."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from typing_extensions import override

from contract.jobs import JobRef
from contract.queue_messages import packed
from contract.queues import SYNC_TASK
from contract.uplink import CHECK_IN_PATH, CheckIn, CheckInReason, CheckInReply, JobOrder, OrderKind
from control.dispatch.celery_app import chain_template
from deploy.simulation.agent import Surroundings
from deploy.simulation.brokers import Brokers
from deploy.simulation.desk import LedgerDesk
from deploy.simulation.device import SimulatedDevice
from deploy.simulation.queues import Message
from deploy.simulation.script import FleetScript
from tests.worker.rig import Rig
from worker.housekeeping import check_in
from worker.identity import Identity

INTERVAL_SECONDS = 1800.0
SOON_SECONDS = 60
JOB = "0b9c7f2e-1111-4222-8333-444455556666"
ELSEWHERE = "redis://127.0.0.1:2/0"

Handler = Callable[[httpx.Request], httpx.Response]


class RecordingBrokers(Brokers):
    """Brokers that nobody reads at; they remember what they were asked."""

    def __init__(self) -> None:
        super().__init__(lambda _let_in: None, lambda _message: None, lambda _run: None)
        self.listening: list[Identity] = []
        self.left: list[Identity] = []
        self.finished: list[Message] = []

    @override
    def listen(self, device: Identity) -> None:
        self.listening.append(device)

    @override
    def leave(self, device: Identity) -> None:
        self.left.append(device)

    @override
    def finish(self, message: Message) -> None:
        self.finished.append(message)


@dataclass
class ControlPlane:
    """Answers check-ins, and nothing else."""

    orders: tuple[JobOrder, ...] = ()
    broker_url: str | None = None
    said: list[CheckIn] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != CHECK_IN_PATH:
            self.refused.append(request.url.path)
            return httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE)
        self.said.append(CheckIn.from_json(request.content))
        reply = CheckInReply(
            jobs_sent=0,
            check_in_interval_seconds=INTERVAL_SECONDS,
            server_time=datetime.now(UTC),
            trusted_keys_version=1,
            orders=self.orders,
            broker_url=self.broker_url,
        )
        return httpx.Response(HTTPStatus.OK, content=reply.to_json())


@pytest.fixture
def identity(rig: Rig) -> Identity:
    return rig.identity


@pytest.fixture
def desk() -> Iterator[LedgerDesk]:
    made = LedgerDesk()
    yield made
    made.close()


@pytest.fixture
def brokers() -> RecordingBrokers:
    return RecordingBrokers()


@pytest.fixture
def make_device(
    identity: Identity, desk: LedgerDesk, brokers: RecordingBrokers, tmp_path: Path
) -> Callable[[Handler], SimulatedDevice]:
    def make(answer: Handler) -> SimulatedDevice:
        client = httpx.Client(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(answer))
        script = FleetScript(devices=1, windows=1).device(1)
        return SimulatedDevice(identity, script, Surroundings(desk, client, tmp_path, brokers))

    return make


Maker = Callable[[Handler], SimulatedDevice]


def a_call(device: Identity) -> Message:
    """To check in now."""
    body = json.dumps([[], {}, {"callbacks": None, "errbacks": None, "chord": None, "chain": None}])
    message = {
        "body": base64.b64encode(body.encode()).decode(),
        "content-type": "application/json",
        "headers": {"task": SYNC_TASK, "id": "a call"},
        "properties": {"delivery_tag": "a call"},
    }
    return Message(device, packed(message))


def a_job(device: Identity) -> Message:
    ref = JobRef(job_id=JOB, generation=1, attempt=1)
    return Message(device, chain_template().message(device.device_id, ref))


def test_it_listens_checks_in_and_comes_again_after_the_interval(
    make_device: Maker, identity: Identity, brokers: RecordingBrokers, desk: LedgerDesk
) -> None:
    control_plane = ControlPlane(orders=(JobOrder(job_id=JOB, generation=1, kind=OrderKind.CANCEL),))
    simulated = make_device(control_plane)
    assert brokers.listening == [], "it is not there yet"
    assert 0.8 * INTERVAL_SECONDS < simulated.turn() < 1.2 * INTERVAL_SECONDS
    assert brokers.listening == [identity]
    (said,) = control_plane.said
    assert said.reason is CheckInReason.AGENT_RESTART
    assert (said.facts.hostname, said.facts.os_name) == ("sim-00001", "windows")
    assert 0 < simulated.turn() < 1.2 * INTERVAL_SECONDS
    assert len(control_plane.said) == 1, "it was not time yet"
    assert desk.ledger.orders.get(JOB) is None, "what it heard is its own"


def test_a_control_plane_that_is_away_is_asked_again_soon(make_device: Maker) -> None:
    simulated = make_device(lambda _: httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE))
    assert 0 < simulated.turn() < SOON_SECONDS


def test_a_message_that_is_none_is_finished_with(
    make_device: Maker, identity: Identity, brokers: RecordingBrokers
) -> None:
    simulated, message = make_device(ControlPlane()), Message(identity, b"no message at all")
    simulated.offer(message)
    simulated.turn()
    assert brokers.finished == [message]


def test_a_call_has_it_check_in_before_its_time(
    make_device: Maker, identity: Identity, brokers: RecordingBrokers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_in, "CALL_INTERVAL_SECONDS", 0.0)
    control_plane = ControlPlane()
    simulated, call = make_device(control_plane), a_call(identity)
    simulated.turn()
    simulated.offer(call)
    simulated.turn()
    assert [said.reason for said in control_plane.said] == [CheckInReason.AGENT_RESTART, CheckInReason.PUSH]
    assert brokers.finished == [call]


def test_one_that_is_told_another_broker_stays_until_it_is_let_in_there_and_begins_anew(
    make_device: Maker, identity: Identity, brokers: RecordingBrokers
) -> None:
    control_plane = ControlPlane(broker_url=ELSEWHERE)
    simulated = make_device(control_plane)
    simulated.turn()
    _, moved = brokers.listening
    assert moved == identity.model_copy(update={"broker_url": ELSEWHERE})
    assert (simulated.identity, brokers.left) == (identity, [])
    control_plane.broker_url = None
    simulated.arrive(moved)
    simulated.turn()
    assert (simulated.identity, brokers.left) == (moved, [identity])
    assert [(said.reason, said.broker_url) for said in control_plane.said] == [
        (CheckInReason.AGENT_RESTART, identity.broker_url),
        (CheckInReason.AGENT_RESTART, ELSEWHERE),
    ]


def test_a_job_under_way_goes_on_at_the_other_broker_and_what_was_taken_too_late_is_left_behind(
    make_device: Maker, identity: Identity, brokers: RecordingBrokers
) -> None:
    control_plane = ControlPlane()
    simulated = make_device(control_plane)
    simulated.offer(a_job(identity))
    simulated.turn()
    assert any(JOB in path for path in control_plane.refused), "its policy cannot be had yet"
    moved = identity.model_copy(update={"broker_url": ELSEWHERE})
    simulated.arrive(moved)
    simulated.offer(a_call(identity))
    assert 0 < simulated.turn() < SOON_SECONDS, "it will ask for the policy again"
    assert brokers.finished == []
    brought = a_job(moved)
    simulated.offer(brought)
    simulated.turn()
    assert brokers.finished == [brought], "the ledger knows it"
