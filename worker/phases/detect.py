"""Phase 3: is the app already as desired?"""

from contract.states import Applicability, Outcome
from worker.installation.installer import wait_for_unfinished
from worker.judgement.detection import detect as judge
from worker.phases.context import Deferred, PhaseContext, PhaseResult, done, settled
from worker.phases.user_wait import wait_for_user
from worker.rules.desired import already_as_desired, is_as_desired


def detect(context: PhaseContext) -> PhaseResult | Deferred:
    """Evaluate the detection rules; what is as desired needs nothing more (behaviour B-33).

    An installer of the app that an older generation of the job left running is waited for first. A script in a user's
    name waits until somebody is logged on.

    Raises:
        PhaseError: DETECTION_RULE_INVALID or RULE_EVALUATION_FAILED.
    """
    wait_for_unfinished(context.device, context.policy)
    waiting = wait_for_user(context.policy.detection_rules, context.device.machine.platform)
    if waiting is not None:
        return waiting
    detection = judge(context.policy.detection_rules, context.device.machine)
    found: dict[str, object] = {"detection_state": detection.state}
    if not detection.answerable:
        found |= {"outcome": Outcome.NOT_APPLICABLE, "applicability": Applicability.HOST_PLATFORM_NOT_APPLICABLE}
        return settled(context.findings.model_copy(update=found), detection.words)
    if is_as_desired(context.policy.intent, detection.state):
        found["outcome"] = already_as_desired(context.policy.intent)
        return settled(context.findings.model_copy(update=found), detection.words)
    return done(context.findings.model_copy(update=found), detection.words)
