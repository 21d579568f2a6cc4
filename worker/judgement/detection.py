"""Detection: is the app there? (behaviour B-32, 2.8)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from contract.rules import Rule
from contract.states import DetectionState
from worker.judgement.judge import Use, check_all, evaluate
from worker.judgement.machine import Machine
from worker.judgement.verdict import Verdict


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


def detect(rules: Sequence[Rule], machine: Machine) -> Detection:
    """Evaluate the detection rules until one does not hold; the app is there when every one holds.

    Raises:
        PhaseError: DETECTION_RULE_INVALID: one of them makes no sense. RULE_EVALUATION_FAILED: the machine does not
            tell. Neither ever counts as "not there" (behaviour B-35, B-36).
    """
    reasons = [reason for rule in rules if (reason := machine.platform.why_unanswerable(rule))]
    if reasons:
        return Detection(DetectionState.UNKNOWN, "; ".join(reasons), answerable=False)
    check_all(rules, Use.DETECTION)
    verdicts = list(_until_one_fails(rules, machine))
    state = DetectionState.DETECTED if verdicts[-1].holds else DetectionState.NOT_DETECTED
    return Detection(state, "; ".join(verdict.words for verdict in verdicts))


def _until_one_fails(rules: Sequence[Rule], machine: Machine) -> Iterator[Verdict]:
    for number, rule in enumerate(rules, 1):
        verdict = evaluate(rule, Use.DETECTION, number, machine)
        yield verdict
        if not verdict.holds:
            return
