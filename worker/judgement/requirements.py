"""Requirement rules: what else must hold before an app is installed (behaviour B-34, 2.5, 2.8)."""

from collections.abc import Iterator, Sequence

from contract.rules import FileRule, RegistryRule, Rule, ScriptRule
from contract.states import Applicability
from worker.judgement.applicability import Unmet
from worker.judgement.judge import Use, check_all, evaluate
from worker.judgement.machine import Machine
from worker.judgement.verdict import Verdict


def first_unmet_rule(rules: Sequence[Rule], machine: Machine) -> Unmet | None:
    """The first requirement rule that does not hold, one that this platform cannot answer before all others.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: a rule makes no sense, or the machine does not tell.
    """
    reasons = [reason for rule in rules if (reason := machine.platform.why_unanswerable(rule))]
    if reasons:
        return Unmet(Applicability.HOST_PLATFORM_NOT_APPLICABLE, "; ".join(reasons))
    check_all(rules, Use.REQUIREMENT)
    return next(_unmet(rules, machine), None)


def number_of(rule: Rule, verdict: Verdict) -> Applicability:
    """What a device says that does not meet the rule; rules that the original has not are requirements like any."""
    match rule:
        case ScriptRule() if verdict.of_wrong_type:
            return Applicability.REQUIREMENTS_NOT_MET
        case ScriptRule():
            return Applicability.SCRIPT_RULE_NOT_MET
        case FileRule():
            return Applicability.FILE_RULE_NOT_MET
        case RegistryRule():
            return Applicability.REGISTRY_RULE_NOT_MET
        case _:
            return Applicability.REQUIREMENTS_NOT_MET


def _unmet(rules: Sequence[Rule], machine: Machine) -> Iterator[Unmet]:
    for number, rule in enumerate(rules, 1):
        verdict = evaluate(rule, Use.REQUIREMENT, number, machine)
        if not verdict.holds:
            yield Unmet(number_of(rule, verdict), verdict.words)
