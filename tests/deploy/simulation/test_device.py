"""A simulated device's turns, without a control plane: what it asks for, and when it wants to be called again."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from contract.uplink import CHECK_IN_PATH, CheckIn, CheckInReason, CheckInReply, JobOrder, OrderKind
from deploy.simulation.desk import LedgerDesk
from deploy.simulation.device import SimulatedDevice, Surroundings
from deploy.simulation.script import FleetScript
from tests.worker.rig import Rig
from worker.identity import Identity

INTERVAL_SECONDS = 1800.0
JOB = "0b9c7f2e-1111-4222-8333-444455556666"

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def identity(rig: Rig) -> Identity:
    return rig.identity


@pytest.fixture
def desk() -> Iterator[LedgerDesk]:
    made = LedgerDesk()
    yield made
    made.close()


def device(identity: Identity, desk: LedgerDesk, scratch: Path, answer: Handler) -> SimulatedDevice:
    client = httpx.Client(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    script = FleetScript(devices=1, windows=1).device(1)
    return SimulatedDevice(identity, script, Surroundings(desk, client, scratch))


def test_it_checks_in_and_comes_again_after_the_interval(identity: Identity, desk: LedgerDesk, tmp_path: Path) -> None:
    said: list[CheckIn] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == CHECK_IN_PATH
        said.append(CheckIn.from_json(request.content))
        order = JobOrder(job_id=JOB, generation=1, kind=OrderKind.CANCEL)
        reply = CheckInReply(
            jobs_sent=0,
            check_in_interval_seconds=INTERVAL_SECONDS,
            server_time=datetime.now(UTC),
            trusted_keys_version=1,
            orders=(order,),
        )
        return httpx.Response(HTTPStatus.OK, content=reply.to_json())

    simulated = device(identity, desk, tmp_path, answer)
    assert 0.8 * INTERVAL_SECONDS < simulated.turn() < 1.2 * INTERVAL_SECONDS
    (check_in,) = said
    assert check_in.reason is CheckInReason.AGENT_RESTART
    assert (check_in.facts.hostname, check_in.facts.os_name) == ("sim-00001", "windows")
    assert 0 < simulated.turn() < 1.2 * INTERVAL_SECONDS
    assert len(said) == 1, "it was not time yet"
    assert desk.ledger.orders.get(JOB) is None, "what it heard is its own"


def test_a_control_plane_that_is_away_is_asked_again_soon(identity: Identity, desk: LedgerDesk, tmp_path: Path) -> None:
    simulated = device(identity, desk, tmp_path, lambda _: httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE))
    assert 0 < simulated.turn() < 60


def test_a_message_that_is_none_is_finished_with(identity: Identity, desk: LedgerDesk, tmp_path: Path) -> None:
    simulated = device(identity, desk, tmp_path, lambda _: httpx.Response(HTTPStatus.SERVICE_UNAVAILABLE))
    simulated.offer(b"no message at all")
    simulated.turn()
    assert list(simulated.finished) == [b"no message at all"]
