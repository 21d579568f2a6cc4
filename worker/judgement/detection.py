"""Detection: is the app there? (behaviour B-32, 2.8)."""

from collections.abc import Iterator
from dataclasses import dataclass

from contract.rules import FileRule, Rule, ScriptRule
from contract.states import DetectionState
from worker.judgement.file_rule import judge_file
from worker.judgement.machine import Machine
from worker.judgement.script_rule import judge_detection
from worker.judgement.verdict import Verdict, not_evaluated


@dataclass(frozen=True)
class Detection:
    """What the detection rules say together.

    Attributes:
        state: Unknown where this platform cannot answer one of the rules.
        words: What was compared with what, rule by rule.
        answerable: Whether the platform can answer all of them.
    """

    state: DetectionState
    words: str
    answerable: bool = True


def detect(rules: tuple[Rule, ...], machine: Machine) -> Detection:
    """Evaluate all detection rules; the app is there when every one holds.

    Raises:
        PhaseError: RULE_EVALUATION_FAILED: one of them could not be evaluated.
    """
    reasons = [reason for rule in rules if (reason := machine.platform.why_unanswerable(rule))]
    if reasons:
        return Detection(DetectionState.UNKNOWN, "; ".join(reasons), answerable=False)
    verdicts = list(_until_one_fails(rules, machine))
    state = DetectionState.DETECTED if verdicts[-1].holds else DetectionState.NOT_DETECTED
    return Detection(state, "; ".join(verdict.words for verdict in verdicts))


def _until_one_fails(rules: tuple[Rule, ...], machine: Machine) -> Iterator[Verdict]:
    for rule in rules:
        verdict = _judge(rule, machine)
        yield verdict
        if not verdict.holds:
            return


def _judge(rule: Rule, machine: Machine) -> Verdict:
    match rule:
        case FileRule():
            return judge_file(rule, machine.platform)
        case ScriptRule():
            return judge_detection(machine.run_script(rule))
        case _:
            raise not_evaluated(f"this agent has no answer to {rule.type} rules", place=rule.type)
