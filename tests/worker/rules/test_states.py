import pytest

from contract.error_codes import ErrorCode
from contract.phases import Phase
from contract.report import ErrorReport
from contract.states import ComplianceState, DetectionState, EnforcementState, Outcome
from worker.rules.states import States, is_interruption, states


def _error(code: ErrorCode, phase: Phase) -> ErrorReport:
    return ErrorReport(code=code.slug, number=code.number, phase=phase)


@pytest.mark.behaviour("2.5 EnforcementState 1000", "B-59")
@pytest.mark.parametrize(
    ("outcome", "compliance"),
    [
        (Outcome.INSTALLED, ComplianceState.INSTALLED),
        (Outcome.ALREADY_INSTALLED, ComplianceState.INSTALLED),
        (Outcome.UNINSTALLED, ComplianceState.NOT_INSTALLED),
        (Outcome.ALREADY_ABSENT, ComplianceState.NOT_INSTALLED),
    ],
)
def test_what_is_as_desired_is_a_success(outcome: Outcome, compliance: ComplianceState) -> None:
    found = states(outcome, DetectionState.UNKNOWN, None)
    assert found == States(compliance, EnforcementState.SUCCESS)


@pytest.mark.behaviour("2.5 EnforcementState 3000")
@pytest.mark.parametrize("outcome", [Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET])
@pytest.mark.parametrize(
    ("detection", "compliance"),
    [
        (DetectionState.DETECTED, ComplianceState.INSTALLED),
        (DetectionState.NOT_DETECTED, ComplianceState.NOT_INSTALLED),
        (DetectionState.UNKNOWN, ComplianceState.UNKNOWN),
    ],
)
def test_what_was_not_attempted_is_as_it_was_seen(
    outcome: Outcome, detection: DetectionState, compliance: ComplianceState
) -> None:
    assert states(outcome, detection, None) == States(compliance, EnforcementState.REQUIREMENTS_NOT_MET)


@pytest.mark.behaviour("2.5 EnforcementState 5000", "2.5 EnforcementState 5003", "2.5 EnforcementState 5999")
@pytest.mark.parametrize(
    ("error", "enforcement"),
    [
        (_error(ErrorCode.INSTALLER_FAILED, Phase.INSTALL), EnforcementState.ERROR),
        (_error(ErrorCode.DOWNLOAD_FAILED, Phase.DOWNLOAD), EnforcementState.ERROR_DOWNLOADING_CONTENT),
        (_error(ErrorCode.CONTENT_CORRUPT, Phase.UNPACK), EnforcementState.ERROR_DOWNLOADING_CONTENT),
        (_error(ErrorCode.INSTALLER_INTERRUPTED, Phase.INSTALL), EnforcementState.ERROR_WITH_IMMEDIATE_RETRY),
        (None, EnforcementState.ERROR),
    ],
)
def test_a_failure_is_told_apart_by_its_cause(error: ErrorReport | None, enforcement: EnforcementState) -> None:
    assert states(Outcome.FAILED, DetectionState.NOT_DETECTED, error) == States(ComplianceState.ERROR, enforcement)


def test_only_an_interruption_is_one() -> None:
    assert is_interruption(_error(ErrorCode.INSTALLER_INTERRUPTED, Phase.INSTALL))
    assert not is_interruption(_error(ErrorCode.INSTALLER_FAILED, Phase.INSTALL))
    assert not is_interruption(None)
