"""The numbers of behaviour 2.5, spot-checked against the text, and the rules that hold for all of them."""

from enum import IntEnum

import pytest

from contract import states
from contract.rules import FileOperation, Operator, RegistryOperation
from contract.states import Applicability, EnforcementBand, EnforcementState, Intent, Outcome, RuleOperator

ENUMERATIONS = [
    kind
    for kind in vars(states).values()
    if isinstance(kind, type) and issubclass(kind, IntEnum) and kind.__module__ == states.__name__
]


#: Members with the number people know, spot-checked against the text.
KNOWN: list[tuple[IntEnum, int]] = [
    (Intent.REQUIRED, 3),
    (Intent.UNINSTALL, 4),
    (states.TargetType.BOTH, 3),
    (states.InstallContext.SYSTEM, 2),
    (states.DesiredState.PRESENT, 2),
    (states.DetectionState.NOT_DETECTED, 2),
    (states.ComplianceState.ERROR, 4),
    (states.ComplianceState.CLEANUP, 100),
    (states.NotificationLevel.HIDE_ALL, 2),
    (states.DeviceRestartBehavior.SUPPRESS, 2),
    (states.ReturnCodeType.RETRY, 4),
    (states.DetectionRuleType.SCRIPT, 3),
    (states.RegistryDetectionType.VERSION, 5),
    (states.FileDetectionType.DOES_NOT_EXIST, 6),
    (RuleOperator.LESS_THAN, 8),
    (Applicability.HOST_PLATFORM_NOT_APPLICABLE, 3),
    (Applicability.SCRIPT_RULE_NOT_MET, 1008),
    (Applicability.USER_CONTEXT_IN_DEVICE_CHECK_IN, 1012),
    (EnforcementState.SUCCESS_UNINSTALLING_SUPERSEDED_APPS, 1018),
    (EnforcementState.ERROR_DOWNLOADING_CONTENT, 5003),
    (EnforcementState.ERROR_WITH_IMMEDIATE_RETRY, 5999),
    (EnforcementState.NOT_ATTEMPTED_UNSUPPORTED_OR_INDETERMINATE_SUPERSEDED_APP, 6013),
    (states.ResultantAppState.NOT_APPLICABLE, -1),
    (states.ResultantAppState.UNKNOWN, 99),
    (states.ResultantAppStateDetail.SUPERSEDING_APPS_NOT_APPLICABLE, -1016),
    (states.TargetingMethod.DEPENDENCY, 1),
    (states.HealthPolicyType.CUSTOM_COMPLIANCE, 8),
    (states.AppInstallStatus.FAILED, 3000),
    (states.EspInstallationState.COMPLETED, 3),
    (states.EspPhase.ACCOUNT_SETUP, 3),
    (states.ReportingClassification.SUPERSEDED, 3),
    (states.ConflictReason.DEPENDENCY_NOT_AUTO_INSTALLED, 2),
    (states.RemediationStatus.WITHOUT_ISSUES, 4),
    (states.RemediationResult.DETECTION_SCRIPT_FAILED, 5),
]


@pytest.mark.parametrize(
    ("member", "number"),
    [pytest.param(*known, marks=pytest.mark.behaviour(f"2.5 {type(known[0]).__name__}")) for known in KNOWN],
)
def test_a_member_has_the_number_people_know(member: IntEnum, number: int) -> None:
    assert int(member) == number


@pytest.mark.parametrize("kind", ENUMERATIONS, ids=lambda kind: kind.__name__)
def test_every_enumeration_is_explained_and_free_of_aliases(kind: type[IntEnum]) -> None:
    assert kind.__doc__
    assert kind.__doc__[0].isupper()
    assert len(kind.__members__) == len(list(kind))


@pytest.mark.behaviour("2.5 EnforcementBand")
@pytest.mark.parametrize("state", list(EnforcementState))
def test_an_enforcement_state_lies_in_the_band_of_its_thousand(state: EnforcementState) -> None:
    assert state.band is EnforcementBand(int(str(int(state))[0]))


def test_the_words_of_rules_carry_the_numbers_of_a_real_log_line() -> None:
    assert (Operator.LESS_THAN.number, RegistryOperation.VERSION.number) == (8, 5)
    assert FileOperation.SIZE_IN_MB.number == 5
    assert [operator.number for operator in Operator] == [0, 1, 2, 4, 5, 8, 9]


def test_an_outcome_knows_whether_the_device_is_as_desired() -> None:
    assert {outcome for outcome in Outcome if not outcome.as_desired} == {
        Outcome.NOT_APPLICABLE,
        Outcome.REQUIREMENTS_NOT_MET,
        Outcome.FAILED,
        Outcome.EVALUATED,
        Outcome.CANCELLED,
    }
