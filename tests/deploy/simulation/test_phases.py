"""A simulated device's installer: what the control plane hears of one that takes its time, and of one that does not."""

from datetime import timedelta

from contract.phases import Phase
from contract.states import Outcome
from deploy.simulation.clock import SkippingClock
from deploy.simulation.phases import SimulatedMachine
from deploy.simulation.script import FleetScript
from tests.worker.rig import Rig
from worker.housekeeping.duty import NEVER
from worker.housekeeping.progress_duty import ProgressDuty


def _simulate(rig: Rig, install_seconds: float) -> ProgressDuty:
    """Run a job as a simulated device does whose installer takes so long."""
    clock = SkippingClock()
    script = FleetScript(devices=1, install_seconds=(install_seconds, install_seconds)).device(1)
    rig.clock = clock  # type: ignore[assignment]  # the rig's own is moved by hand

    def tell() -> None:
        told.turn()

    rig.functions = SimulatedMachine(script, clock, tell).functions()
    rig.start()
    told = ProgressDuty(rig.progress, rig.uplink, clock)
    rig.run(rig.new_job(issued_at=clock.now(), expires_at=clock.now() + timedelta(days=1)))
    return told


def test_a_quick_job_sends_its_report_and_no_progress(rig: Rig) -> None:
    told = _simulate(rig, install_seconds=0)
    (report,) = rig.uplink.reports
    assert report.outcome is Outcome.INSTALLED
    assert rig.uplink.progress_items == []
    assert told.turn() == NEVER


def test_an_installer_that_takes_longer_is_told_while_it_runs(rig: Rig) -> None:
    _simulate(rig, install_seconds=30)
    assert len(rig.uplink.reports) == 1
    newest = rig.uplink.progress_items[-1]
    assert (newest.phase, newest.record) == (Phase.INSTALL, None)
    assert Phase.CONFIRM not in {item.phase for item in rig.uplink.progress_items}
