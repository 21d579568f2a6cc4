"""A second broker is added, as the operating guide says, while a rollout brings an app to a simulated fleet."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from control.rollouts.spec import Ring, RolloutSpec
from control.rollouts.states import OperatorAction, RolloutState
from control.shards.hashing import FIRST_SHARD, shard_of
from control.views.job_selection import JobQuery
from control.views.rollouts import RolloutOrder, RolloutRequest
from deploy.demo.commands import Typist
from deploy.local.plan import StandardPart
from deploy.local.polling import wait_until
from deploy.local.ports import find_free_port
from deploy.simulation.at_scale.parts import with_settings
from deploy.simulation.at_scale.shards import Shard, shard_settings
from deploy.simulation.client import CONTENT
from deploy.simulation.fleet import FleetFile
from deploy.simulation.script import FleetScript
from deploy.simulation.simulation import running
from tests.deploy.simulation.conftest import APP, Site

_SECONDS = 300
pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(3 * _SECONDS)]

#: So many that about half of them belong at each broker, whatever their ids.
DEVICES = 60
ROLLOUT = "everywhere"
CHECK_IN = "POST /v1/device/check-in"


def test_only_those_that_belong_there_move_and_each_job_is_done_once(site: Site) -> None:
    fleet = FleetScript(devices=DEVICES, install_seconds=(1, 20))
    site.deploy(hold=True)
    with running(site.devices, fleet, 2, site.urls, site.token(fleet)) as simulation:
        assert wait_until(lambda: simulation.standing().requests[CHECK_IN] >= DEVICES, seconds=_SECONDS)
        begin_rollout(site)
        assert wait_until(lambda: simulation.standing().requests[CONTENT] > 0, seconds=_SECONDS), "jobs are under way"
        # However slow the machine is, the second ring's jobs are sent while devices are on their way.
        site.client.steer_rollout(ROLLOUT, OperatorAction.PAUSE, RolloutOrder())
        command = add_broker(site, shard := Shard("two", find_free_port()))
        moving = {name for name, device_id in ids(site, fleet).items() if belongs_at(device_id) == shard.name}
        assert DEVICES / 6 < len(moving) < DEVICES * 5 / 6
        assert asked(command, "plan") == [{"from": FIRST_SHARD, "to": shard.name, "devices": len(moving)}]
        assert asked(command, "move", "--per-second", "100") == {"devices": len(moving)}
        site.client.steer_rollout(ROLLOUT, OperatorAction.RESUME, RolloutOrder())
        assert wait_until(lambda: site.client.rollout(ROLLOUT).state is RolloutState.FINISHED, seconds=_SECONDS)
        assert wait_until(lambda: simulation.standing().outcomes == {"installed": DEVICES}, seconds=_SECONDS)
        assert simulation.standing().installed_twice == 0
        rest = {FIRST_SHARD: DEVICES - len(moving), shard.name: len(moving)}
        assert wait_until(lambda: where_they_are(command) == rest, seconds=_SECONDS)
    summary = site.client.summary(JobQuery(app=APP))
    assert (summary.jobs, summary.done) == (DEVICES, DEVICES)
    known = FleetFile(site.devices).load(names(fleet))
    assert {name for name, identity in known.items() if identity.broker_url == shard.address} == moving


def begin_rollout(site: Site) -> None:
    rings = (Ring(name="half", percent=50), Ring(name="rest"))
    site.client.create_rollout(RolloutRequest(app=APP, name=ROLLOUT, spec=RolloutSpec(rings=rings)))
    site.client.steer_rollout(ROLLOUT, OperatorAction.START, RolloutOrder())


def add_broker(site: Site, shard: Shard) -> Typist:
    """Steps 1 and 2 of the guide; the answer types commands with the API's environment."""
    site.stack.add(shard.broker(site.stack.layout))
    told = [StandardPart.API, StandardPart.WORKER, StandardPart.SCHEDULER]
    api, *others = [with_settings(site.stack.part(name), shard_settings([shard])) for name in told]
    site.stack.add(api, *others)
    return Typist(Console(quiet=True), api.environment)


def asked(command: Typist, *words: str) -> Any:
    return json.loads(command.type("outrider-control", "shards", *words, "--json", shown=False))


def where_they_are(command: Typist) -> dict[str, int]:
    """How many devices listen at each shard."""
    return {row["name"]: row["here"] for row in asked(command, "list")}


def belongs_at(device_id: str) -> str:
    return shard_of(device_id, (FIRST_SHARD, "two"))


def names(fleet: FleetScript) -> Sequence[str]:
    return [fleet.name_of(number) for number in range(1, fleet.devices + 1)]


def ids(site: Site, fleet: FleetScript) -> dict[str, str]:
    """The devices' ids by their names."""
    return {name: identity.device_id for name, identity in FleetFile(site.devices).load(names(fleet)).items()}
