"""Whole jobs through the engine: real content, real installers, a real ledger."""

from contract.phases import PHASES
from contract.states import ComplianceState, EnforcementState, Outcome
from tests.worker.rig import Rig


def test_a_job_runs_all_eleven_phases_and_installs(rig: Rig) -> None:
    steps = rig.run(rig.new_job())
    assert [phase for phase, _ in steps] == list(PHASES)
    assert (rig.target / "editor").exists()
    (report,) = rig.uplink.reports
    assert report.outcome is Outcome.INSTALLED
    assert report.raw_exit_code == 0
    assert report.compliance_state is ComplianceState.INSTALLED
    assert report.enforcement_state is EnforcementState.SUCCESS
    assert report.bytes_downloaded == rig.content.ref.size
    assert "installing into" in report.output_tail
    assert [record.phase for record in report.phases] == list(PHASES[:-1])
    assert report.next_action is None
