"""Simulated devices against a real control plane: each does what its script says, and the control plane hears of it."""

import time

import pytest

from contract.states import Outcome
from control.views.job_selection import JobQuery
from deploy.local.polling import wait_until
from deploy.simulation.script import FleetScript
from deploy.simulation.simulation import running
from tests.deploy.simulation.conftest import APP, GROUP, Site

_SECONDS = 180
pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(3 * _SECONDS)]


def test_each_device_does_what_its_script_says(site: Site) -> None:
    fleet = FleetScript(
        devices=12, seed=3, arrival_seconds=3, away=0.3, away_seconds=45, failing=0.3, install_seconds=(0, 3)
    )
    scripts = [fleet.device(number) for number in range(1, fleet.devices + 1)]
    failing = {script.name for script in scripts if script.fails}
    away = sum(script.starts_after_seconds >= fleet.away_seconds for script in scripts)
    assert failing
    assert 0 < away < fleet.devices, "the seed makes some of each"
    site.deploy()
    with running(site.devices, fleet, 2, site.urls, site.token(fleet)) as simulation:
        assert wait_until(lambda: simulation.standing().present >= fleet.devices - away, seconds=_SECONDS)
        began = time.monotonic()
        assert simulation.standing().present < fleet.devices, "some are away"
        assert wait_until(lambda: simulation.standing().outcomes.total() == fleet.devices, seconds=_SECONDS)
        assert time.monotonic() - began > fleet.away_seconds / 3, "they came late"
        standing = simulation.standing()
    assert standing.outcomes == {"installed": fleet.devices - len(failing), "failed": len(failing)}
    assert (standing.installed_twice, standing.stumbles) == (0, 0)
    jobs = {job.device: job for job in site.client.jobs(JobQuery(app=APP))}
    assert {name for name, job in jobs.items() if job.outcome is Outcome.FAILED} == failing
    assert {jobs[name].raw_exit_code for name in failing} == {fleet.exit_code}
    _goes_on_where_it_stood(site, fleet)


def _goes_on_where_it_stood(site: Site, fleet: FleetScript) -> None:
    """The next simulation of the same fleet needs no token: its devices are known."""
    with running(site.devices, fleet, 1, site.urls) as simulation:
        assert wait_until(lambda: simulation.standing().enrolled == fleet.devices, seconds=_SECONDS)
    assert len(list(site.client.members(GROUP))) == fleet.devices
