"""What a phase's failure is reported as."""

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, PhaseError
from contract.phases import Phase
from contract.policy import FailureClass
from contract.report import ErrorReport

#: A control plane that stays silent means something else in each phase.
_SILENCE = {Phase.METADATA: ErrorCode.POLICY_UNAVAILABLE, Phase.DOWNLOAD: ErrorCode.CONTENT_INFO_FAILED}


_CLASS_OF_PHASE = {
    Phase.POLL: FailureClass.CONTROL_PLANE,
    Phase.METADATA: FailureClass.CONTROL_PLANE,
    Phase.DETECT: FailureClass.RULES,
    Phase.APPLICABILITY: FailureClass.RULES,
    Phase.REQUIREMENTS: FailureClass.RULES,
    Phase.DOWNLOAD: FailureClass.CONTENT,
    Phase.UNPACK: FailureClass.CONTENT,
}

_CLASS_OF_CODE = {
    ErrorCode.INSTALLER_INTERRUPTED.slug: FailureClass.INTERRUPTED,
    ErrorCode.RULE_EVALUATION_FAILED.slug: FailureClass.RULES,
    ErrorCode.CONTENT_VANISHED.slug: FailureClass.CONTENT,
}


def failure_class(error: ErrorReport | None) -> FailureClass:
    """What kind of failure it was: by its code where that says more than its phase does."""
    if error is None:
        return FailureClass.INSTALLER
    return _CLASS_OF_CODE.get(error.code) or _CLASS_OF_PHASE.get(error.phase, FailureClass.INSTALLER)


def error_report(error: OutriderError, phase: Phase) -> ErrorReport:
    """The error as the report carries it; an error without a number of its own has the agent's."""
    code = _SILENCE.get(phase, error.code) if error.code is ErrorCode.API_UNAVAILABLE else error.code
    number = error.number if isinstance(error, PhaseError) else code.number
    return ErrorReport(
        code=code.slug,
        number=ErrorCode.CLIENT_ERROR.number if number is None else number,
        phase=phase,
        detail=" ".join(part for part in (error.place, error.detail) if part),
        raw_exit_code=error.raw_exit_code if isinstance(error, PhaseError) else None,
    )
