"""The states an attempt's outcome amounts to (behaviour 2.5, B-59, B-60)."""

from dataclasses import dataclass

from contract.error_codes import ErrorCode
from contract.phases import Phase
from contract.report import ErrorReport
from contract.states import ComplianceState, DetectionState, EnforcementState, Outcome, ReturnCodeType

_SETTLED = {
    Outcome.INSTALLED: (ComplianceState.INSTALLED, EnforcementState.SUCCESS),
    Outcome.ALREADY_INSTALLED: (ComplianceState.INSTALLED, EnforcementState.SUCCESS),
    Outcome.UNINSTALLED: (ComplianceState.NOT_INSTALLED, EnforcementState.SUCCESS),
    Outcome.ALREADY_ABSENT: (ComplianceState.NOT_INSTALLED, EnforcementState.SUCCESS),
}

_SEEN = {
    DetectionState.DETECTED: ComplianceState.INSTALLED,
    DetectionState.NOT_DETECTED: ComplianceState.NOT_INSTALLED,
    DetectionState.UNKNOWN: ComplianceState.UNKNOWN,
}

_REBOOTS = frozenset({ReturnCodeType.SOFT_REBOOT, ReturnCodeType.HARD_REBOOT})

_CONTENT_PHASES = frozenset({Phase.DOWNLOAD, Phase.UNPACK})


@dataclass(frozen=True)
class States:
    """Compliance and enforcement as they are stored and reported."""

    compliance: ComplianceState
    enforcement: EnforcementState


def states(
    outcome: Outcome, detection: DetectionState, error: ErrorReport | None, exit_kind: ReturnCodeType | None = None
) -> States:
    """The states of an attempt that ended.

    Args:
        outcome: How it ended.
        detection: What the detection rules said last.
        error: What went wrong, where something did.
        exit_kind: What the command's exit code meant, where there was one.
    """
    if outcome is Outcome.UNINSTALLED and exit_kind in _REBOOTS:
        return States(ComplianceState.NOT_INSTALLED, EnforcementState.SUCCESS_UNINSTALL_PENDING_REBOOT)
    if outcome in _SETTLED:
        return States(*_SETTLED[outcome])
    if outcome is Outcome.EVALUATED:
        return States(_SEEN[detection], EnforcementState.NOT_ATTEMPTED)
    if outcome is Outcome.FAILED:
        return States(ComplianceState.ERROR, _enforcement_of(error))
    if outcome is Outcome.CANCELLED:
        # With an error the command ran, and what it left is unknown.
        enforcement = EnforcementState.NOT_ATTEMPTED if error is None else _enforcement_of(error)
        return States(_SEEN[detection], enforcement)
    return States(_SEEN[detection], EnforcementState.REQUIREMENTS_NOT_MET)


def is_interruption(error: ErrorReport | None) -> bool:
    """Whether the attempt was cut off together with the agent or the device."""
    return error is not None and error.code == ErrorCode.INSTALLER_INTERRUPTED.slug


def _enforcement_of(error: ErrorReport | None) -> EnforcementState:
    if is_interruption(error):
        return EnforcementState.ERROR_WITH_IMMEDIATE_RETRY
    if error is not None and error.phase in _CONTENT_PHASES:
        return EnforcementState.ERROR_DOWNLOADING_CONTENT
    return EnforcementState.ERROR
