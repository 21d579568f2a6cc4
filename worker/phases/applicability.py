"""Phase 4: can this device run the app?"""

from contract.states import Intent, Outcome
from worker.judgement.applicability import first_unmet
from worker.phases.context import PhaseContext, PhaseResult, done, settled


def applicability(context: PhaseContext) -> PhaseResult:
    """Compare operating system, architecture, disk, memory, processors and their speed with what the app needs.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED.
    """
    if context.policy.intent is Intent.UNINSTALL:
        return done(context.findings, "not asked for an uninstall")
    platform = context.device.machine.platform
    unmet = first_unmet(context.policy, platform.facts(), platform.cpu_speed_in_mhz())
    if unmet is None:
        return done(context.findings, "applicable")
    found = {"outcome": Outcome.NOT_APPLICABLE, "applicability": unmet.number}
    return settled(context.findings.model_copy(update=found), unmet.words)
