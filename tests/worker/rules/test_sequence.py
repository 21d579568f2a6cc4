import pytest

from contract.phases import PHASES, Phase
from contract.report import PhaseOutcome
from worker.rules.sequence import successor


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_that_is_done_is_followed_by_the_next(phase: Phase) -> None:
    assert successor(phase, PhaseOutcome.DONE) is phase.follower


@pytest.mark.parametrize("phase", PHASES[:9])
@pytest.mark.parametrize("outcome", [PhaseOutcome.SETTLED, PhaseOutcome.FAILED])
def test_an_early_end_is_still_set_and_reported(phase: Phase, outcome: PhaseOutcome) -> None:
    assert successor(phase, outcome) is Phase.COMPLIANCE


def test_a_failure_while_setting_the_result_is_still_reported() -> None:
    assert successor(Phase.COMPLIANCE, PhaseOutcome.FAILED) is Phase.REPORT


def test_a_failure_while_reporting_ends_the_chain() -> None:
    assert successor(Phase.REPORT, PhaseOutcome.FAILED) is None


@pytest.mark.parametrize("phase", PHASES)
def test_a_void_job_goes_on_nowhere(phase: Phase) -> None:
    assert successor(phase, PhaseOutcome.VOID) is None


@pytest.mark.parametrize("start", PHASES)
@pytest.mark.parametrize("outcome", list(PhaseOutcome))
def test_every_way_ends(start: Phase, outcome: PhaseOutcome) -> None:
    phase: Phase | None = start
    for _ in PHASES:
        phase = None if phase is None else successor(phase, outcome)
    assert phase is None
