"""Phase 5: do the app's own requirement rules hold?"""

from contract.states import Applicability, Intent, Outcome
from worker.judgement.requirements import first_unmet_rule
from worker.phases.context import Deferred, PhaseContext, PhaseResult, done, settled
from worker.phases.user_wait import wait_for_user


def requirements(context: PhaseContext) -> PhaseResult | Deferred:
    """Evaluate the requirement rules; a script in a user's name waits until somebody is logged on.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED.
    """
    if context.policy.intent is Intent.UNINSTALL:
        return done(context.findings, "not asked for an uninstall")
    rules = context.policy.requirements.rules
    waiting = wait_for_user(rules, context.device.machine.platform)
    if waiting is not None:
        return waiting
    unmet = first_unmet_rule(rules, context.device.machine)
    if unmet is None:
        return done(context.findings, f"{len(rules)} rules hold")
    not_applicable = unmet.number is Applicability.HOST_PLATFORM_NOT_APPLICABLE
    outcome = Outcome.NOT_APPLICABLE if not_applicable else Outcome.REQUIREMENTS_NOT_MET
    found = {"outcome": outcome, "applicability": unmet.number}
    return settled(context.findings.model_copy(update=found), unmet.words)
