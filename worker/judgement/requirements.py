"""Requirement rules: file and script rules that gate an install (behaviour B-34, 2.5, 2.8)."""

from collections.abc import Iterator

from contract.rules import FileRule, Rule, ScriptRule
from contract.states import Applicability
from worker.judgement.applicability import Unmet
from worker.judgement.file_rule import judge_file
from worker.judgement.machine import Machine
from worker.judgement.script_rule import OutputTypeError, judge_requirement
from worker.judgement.verdict import Verdict, not_evaluated


def first_unmet_rule(rules: tuple[Rule, ...], machine: Machine) -> Unmet | None:
    """The first requirement rule that does not hold; None where all do.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: a rule could not be evaluated.
    """
    return next(_unmet(rules, machine), None)


def _unmet(rules: tuple[Rule, ...], machine: Machine) -> Iterator[Unmet]:
    for rule in rules:
        reason = machine.platform.why_unanswerable(rule)
        if reason:
            yield Unmet(Applicability.HOST_PLATFORM_NOT_APPLICABLE, reason)
            continue
        try:
            number, verdict = _judge(rule, machine)
        except OutputTypeError as error:
            yield Unmet(Applicability.REQUIREMENTS_NOT_MET, str(error))
            continue
        if not verdict.holds:
            yield Unmet(number, verdict.words)


def _judge(rule: Rule, machine: Machine) -> tuple[Applicability, Verdict]:
    match rule:
        case FileRule():
            return Applicability.FILE_RULE_NOT_MET, judge_file(rule, machine.platform)
        case ScriptRule():
            return Applicability.SCRIPT_RULE_NOT_MET, judge_requirement(rule, machine.run_script(rule))
        case _:
            raise not_evaluated(f"this agent has no answer to {rule.type} rules", place=rule.type)
