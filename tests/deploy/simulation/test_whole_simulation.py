"""Simulated devices against a real control plane: each does what its script says, and the control plane hears of it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from contract.states import Intent, Outcome
from control.catalog.manifest_reader import read_manifest
from control.client.control_client import ControlClient
from control.views.access import EnrollmentTokenRequest
from control.views.assignments import AssignmentRequest
from control.views.job_selection import JobQuery
from deploy.demo.commands import Typist
from deploy.demo.devices import APP_SOURCE
from deploy.demo.scenario import MANIFEST, SETUP_FILE
from deploy.local.control_parts import control_environment
from deploy.local.plan import StandardPart
from deploy.local.polling import wait_until
from deploy.local.stack import LocalStack
from deploy.simulation.script import FleetScript
from deploy.simulation.simulation import running

_SECONDS = 180
pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(3 * _SECONDS)]

APP = "hello"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[ControlClient]:
    """An operator's, of a stack of this test's own with the demo's app in it."""
    stack = LocalStack(tmp_path / "stack", environment={"PATH": "/usr/bin:/bin"})
    parts = [name for name in StandardPart if name is not StandardPart.FLOWER]
    try:
        addresses = stack.up(*parts)
        server = Typist(Console(quiet=True), control_environment(stack.layout, addresses))
        token = server.ask("outrider-control", "token", "create", "--role", "admin", "--name", "test", shown=False)
        options = ("--setup", SETUP_FILE, "--output", str(tmp_path), "--quiet")
        server.type("outrider", "package", "build", str(APP_SOURCE), *options, shown=False)
        with ControlClient(addresses.api_url, str(token["token"])) as made:
            package = made.upload((tmp_path / SETUP_FILE).with_suffix(".intunewin"), lambda _bytes: None)
            made.publish(read_manifest(MANIFEST), package.digest)
            made.create_group("fleet")
            made.assign(AssignmentRequest(app=APP, group="fleet", intent=Intent.REQUIRED))
            yield made
    finally:
        stack.down()


def test_each_device_does_what_its_script_says(client: ControlClient, tmp_path: Path) -> None:
    fleet = FleetScript(
        devices=12, seed=3, arrival_seconds=3, away=0.3, away_seconds=15, failing=0.3, install_seconds=(0, 3)
    )
    scripts = [fleet.device(number) for number in range(1, fleet.devices + 1)]
    failing = {script.name for script in scripts if script.fails}
    away = sum(script.starts_after_seconds >= fleet.away_seconds for script in scripts)
    assert failing
    assert 0 < away < fleet.devices, "the seed makes some of each"
    token = client.create_enrollment_token(EnrollmentTokenRequest(group="fleet", uses=fleet.devices)).token
    folder = tmp_path / "devices"
    folder.mkdir()
    with running(folder, fleet, 2, [str(client.http.base_url)], token) as simulation:
        assert wait_until(lambda: simulation.standing().present >= fleet.devices - away, seconds=_SECONDS)
        began = time.monotonic()
        assert simulation.standing().present < fleet.devices, "some are away"
        assert wait_until(lambda: simulation.standing().outcomes.total() == fleet.devices, seconds=_SECONDS)
        assert time.monotonic() - began > fleet.away_seconds / 3, "they came late"
        standing = simulation.standing()
    assert standing.outcomes == {"installed": fleet.devices - len(failing), "failed": len(failing)}
    assert (standing.installed_twice, standing.stumbles) == (0, 0)
    jobs = {job.device: job for job in client.jobs(JobQuery(app=APP))}
    assert {name for name, job in jobs.items() if job.outcome is Outcome.FAILED} == failing
    assert {jobs[name].raw_exit_code for name in failing} == {fleet.exit_code}
    _goes_on_where_it_stood(client, folder, fleet)


def _goes_on_where_it_stood(client: ControlClient, folder: Path, fleet: FleetScript) -> None:
    """The next simulation of the same fleet needs no token: its devices are known."""
    with running(folder, fleet, 1, [str(client.http.base_url)]) as simulation:
        assert wait_until(lambda: simulation.standing().enrolled == fleet.devices, seconds=_SECONDS)
    assert len(list(client.members("fleet"))) == fleet.devices
