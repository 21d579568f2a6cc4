"""Phase 4: can this device run the app?"""

from contract.states import Intent, Outcome
from worker.installation.user_context import why_unsupported
from worker.judgement.applicability import Candidate, first_unmet
from worker.phases.context import PhaseContext, PhaseResult, done, settled


def applicability(context: PhaseContext) -> PhaseResult:
    """Compare operating system, architecture, disk, memory, processors and their speed with what the app needs.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED.
    """
    if context.policy.intent is Intent.UNINSTALL:
        return done(context.findings, "not asked for an uninstall")
    platform = context.device.machine.platform
    candidate = Candidate(platform.facts(), platform.cpu_speed_in_mhz(), why_unsupported())
    account = context.policy.install_experience.run_as_account
    unmet = first_unmet(context.policy.requirements, account, candidate)
    if unmet is None:
        return done(context.findings, "applicable")
    found = {"outcome": Outcome.NOT_APPLICABLE, "applicability": unmet.number}
    return settled(context.findings.model_copy(update=found), unmet.words)
