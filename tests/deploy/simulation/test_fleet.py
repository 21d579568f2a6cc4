"""Who the simulated devices are, from one simulation to the next."""

import json
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from contract.errors import TrustError
from deploy.simulation.fleet import FleetFile, enroll_all
from deploy.simulation.script import FleetScript
from tests.worker.rig import Rig
from worker.identity import Identity


@pytest.fixture
def someone(rig: Rig) -> Identity:
    return rig.identity


def named(identity: Identity, name: str) -> Identity:
    return identity.model_copy(update={"name": name, "device_id": str(uuid4())})


def test_those_asked_for_are_found_and_share_what_all_have(someone: Identity, tmp_path: Path) -> None:
    file = FleetFile(tmp_path)
    made = [named(someone, f"sim-{number}") for number in range(3)]
    file.add(made[:2])
    file.add(made[2:])
    assert file.names() == {"sim-0", "sim-1", "sim-2"}
    known = file.load(["sim-0", "sim-2", "nobody"])
    assert known == {"sim-0": made[0], "sim-2": made[2]}
    assert known["sim-0"].trusted_keys is known["sim-2"].trusted_keys


def test_a_line_that_was_cut_off_is_left_out(someone: Identity, tmp_path: Path) -> None:
    file = FleetFile(tmp_path)
    file.add([named(someone, "whole"), named(someone, "cut")])
    path = tmp_path / "fleet.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    assert file.names() == {"whole"}


def test_a_fleet_that_nobody_enrolled_is_nobody(tmp_path: Path) -> None:
    assert FleetFile(tmp_path).names() == set()


def test_many_may_write_at_once(someone: Identity, tmp_path: Path) -> None:
    def write(writer: int) -> None:
        file = FleetFile(tmp_path)
        for start in range(0, 100, 20):
            file.add([named(someone, f"sim-{writer}-{start + number}") for number in range(20)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(FleetFile(tmp_path).names()) == 400


def test_the_file_is_for_its_owner_only(someone: Identity, tmp_path: Path) -> None:
    FleetFile(tmp_path).add([someone])
    assert (tmp_path / "fleet.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_refused_token_ends_it_and_nothing_is_written(tmp_path: Path) -> None:
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["name"])
        return httpx.Response(HTTPStatus.UNAUTHORIZED)

    fleet = FleetScript(devices=3)
    client = httpx.Client(base_url="http://127.0.0.1", transport=httpx.MockTransport(refuse))
    with pytest.raises(TrustError):
        enroll_all([fleet.device(1)], "spent", FleetFile(tmp_path), [client], lambda _more: None)
    assert asked == ["sim-00001"]
    assert FleetFile(tmp_path).names() == set()
