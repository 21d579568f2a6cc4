"""What kind of failure an error is: both sides judge by the same table."""

from typing import Final

from contract.error_codes import ErrorCode
from contract.phases import Phase
from contract.policy import FailureClass

_CLASS_OF_PHASE: Final = {
    Phase.POLL: FailureClass.CONTROL_PLANE,
    Phase.METADATA: FailureClass.CONTROL_PLANE,
    Phase.DETECT: FailureClass.RULES,
    Phase.APPLICABILITY: FailureClass.RULES,
    Phase.REQUIREMENTS: FailureClass.RULES,
    Phase.DOWNLOAD: FailureClass.CONTENT,
    Phase.UNPACK: FailureClass.CONTENT,
}

_CLASS_OF_CODE: Final = {
    ErrorCode.INSTALLER_INTERRUPTED.slug: FailureClass.INTERRUPTED,
    ErrorCode.RULE_EVALUATION_FAILED.slug: FailureClass.RULES,
    ErrorCode.CONTENT_VANISHED.slug: FailureClass.CONTENT,
    ErrorCode.SECRET_UNAVAILABLE.slug: FailureClass.CONTROL_PLANE,
    ErrorCode.SECRET_REFUSED.slug: FailureClass.CONTROL_PLANE,
}


def failure_class_of(code: str, phase: Phase) -> FailureClass:
    """The class of an error: by its name where that says more than the phase it happened in does."""
    return _CLASS_OF_CODE.get(code) or _CLASS_OF_PHASE.get(phase, FailureClass.INSTALLER)
