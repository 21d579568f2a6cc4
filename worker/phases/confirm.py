"""Phase 9: detection must agree with the exit code (behaviour B-55, C-11)."""

from contract.error_codes import ErrorCode
from contract.errors import PhaseError
from contract.states import Intent
from worker.installation.user_context import is_logged_on
from worker.judgement.detection import detect
from worker.phases.context import PhaseContext, PhaseResult, done, failed
from worker.rules.desired import brought_about, is_as_desired

_DISAGREEMENT = {True: ErrorCode.STILL_DETECTED_AFTER_UNINSTALL, False: ErrorCode.NOT_DETECTED_AFTER_INSTALL}


def confirm(context: PhaseContext) -> PhaseResult:
    """Evaluate the detection rules again; the command's own word is not enough.

    A user who logged off meanwhile explains why nothing is there, better than the rules do (behaviour B-62, C-05).

    Raises:
        PhaseError: RULE_EVALUATION_FAILED.
    """
    intent = context.policy.intent
    detection = detect(context.policy.detection_rules, context.device.machine)
    findings = context.findings.model_copy(update={"detection_state": detection.state})
    if is_as_desired(intent, detection.state):
        return done(findings.model_copy(update={"outcome": brought_about(intent)}), detection.words)
    error = PhaseError(_disagreement(context), detail=detection.words, raw_exit_code=findings.raw_exit_code)
    return failed(findings, error)


def _disagreement(context: PhaseContext) -> ErrorCode:
    user = context.findings.user_name
    if user and not is_logged_on(context.device.machine.platform, user):
        return ErrorCode.SESSION_CHANGED
    return _DISAGREEMENT[context.policy.intent is Intent.UNINSTALL]
