"""What a phase's failure is reported as."""

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, PhaseError
from contract.failure_classes import failure_class_of
from contract.phases import Phase
from contract.policy import FailureClass
from contract.report import ErrorReport

#: A control plane that stays silent means something else in each phase.
_SILENCE = {Phase.METADATA: ErrorCode.POLICY_UNAVAILABLE, Phase.DOWNLOAD: ErrorCode.CONTENT_INFO_FAILED}


def failure_class(error: ErrorReport | None) -> FailureClass:
    """What kind of failure it was: by its code where that says more than its phase does."""
    if error is None:
        return FailureClass.INSTALLER
    return failure_class_of(error.code, error.phase)


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
