"""All rules of an app on this machine, one by one: what a job would find, without a job.

A job stops at the first rule that does not hold; a review goes on, and an error is an answer among others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.errors import PhaseError
from contract.policy import Requirements
from contract.rules import Rule, RunAsAccount, ScriptRule
from contract.states import Applicability
from worker.judgement.applicability import Candidate, conditions
from worker.judgement.judge import Use, check, evaluate, place
from worker.judgement.machine import Machine
from worker.judgement.requirements import number_of
from worker.judgement.verdict import Verdict


class Answer(StrEnum):
    """What became of one rule."""

    HOLDS = "holds"
    DOES_NOT_HOLD = "does-not-hold"
    UNANSWERABLE = "unanswerable"
    FAILED = "failed"
    SKIPPED = "skipped"


class Conclusion(StrEnum):
    """What all rules say together."""

    DETECTED = "detected"
    NOT_DETECTED = "not-detected"
    NOT_APPLICABLE = "not-applicable"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Reviewed:
    """One rule and its answer.

    Attributes:
        rule: Which it is, for people.
        verdict: What was compared with what; None where nothing was.
        reason: Why nothing was compared; empty where something was.
        number: What a device says that does not meet it; None for a detection rule and for what is met.
        error: What a job would report; None where the rule did not fail.
    """

    rule: str
    answer: Answer
    verdict: Verdict | None = None
    reason: str = ""
    number: Applicability | None = None
    error: PhaseError | None = None


@dataclass(frozen=True)
class Review:
    """The rules of an app, in the order in which a job asks them."""

    detection: tuple[Reviewed, ...]
    requirements: tuple[Reviewed, ...]

    @property
    def conclusion(self) -> Conclusion:
        """What a job would come to, detection first (behaviour 2.8)."""
        answers = {one.answer for one in self.detection}
        if Answer.FAILED in answers:
            return Conclusion.FAILED
        if Answer.UNANSWERABLE in answers:
            return Conclusion.NOT_APPLICABLE
        if Answer.DOES_NOT_HOLD in answers:
            return _of_what_is_not_there({one.answer for one in self.requirements})
        return Conclusion.UNDECIDED if Answer.SKIPPED in answers else Conclusion.DETECTED


def _of_what_is_not_there(answers: set[Answer]) -> Conclusion:
    if Answer.FAILED in answers:
        return Conclusion.FAILED
    if answers & {Answer.UNANSWERABLE, Answer.DOES_NOT_HOLD}:
        return Conclusion.NOT_APPLICABLE
    return Conclusion.UNDECIDED if Answer.SKIPPED in answers else Conclusion.NOT_DETECTED


@dataclass(frozen=True)
class Reviewer:
    """Asks a machine every rule.

    Attributes:
        candidate: The machine as base requirements see it.
        runs_scripts: Whether script rules are run, or skipped.
    """

    machine: Machine
    candidate: Candidate
    runs_scripts: bool = True

    def review(self, detection: Sequence[Rule], required: Requirements, account: RunAsAccount) -> Review:
        """Evaluate all rules; nothing is raised that a rule could be blamed for."""
        rules = [self._review(rule, Use.REQUIREMENT, number) for number, rule in enumerate(required.rules, 1)]
        return Review(
            tuple(self._review(rule, Use.DETECTION, number) for number, rule in enumerate(detection, 1)),
            (*self._conditions(required, account), *rules),
        )

    def _conditions(self, required: Requirements, account: RunAsAccount) -> Iterator[Reviewed]:
        try:
            for one in conditions(required, account, self.candidate):
                met = one.verdict.holds
                yield Reviewed("requirement", _answer(one.verdict), one.verdict, number=None if met else one.number)
        except PhaseError as error:
            yield _failed("requirement", error)

    def _review(self, rule: Rule, use: Use, number: int) -> Reviewed:
        name = place(rule, use, number)
        reason = self.machine.platform.why_unanswerable(rule)
        if reason:
            unmet = Applicability.HOST_PLATFORM_NOT_APPLICABLE
            return Reviewed(name, Answer.UNANSWERABLE, reason=reason, number=unmet)
        try:
            check(rule, use, number)
            if isinstance(rule, ScriptRule) and not self.runs_scripts:
                return Reviewed(name, Answer.SKIPPED, reason="scripts are not run")
            verdict = evaluate(rule, use, number, self.machine)
        except PhaseError as error:
            return _failed(name, error)
        unmet_number = number_of(rule, verdict) if use is Use.REQUIREMENT and not verdict.holds else None
        return Reviewed(name, _answer(verdict), verdict, number=unmet_number)


def _answer(verdict: Verdict) -> Answer:
    return Answer.HOLDS if verdict.holds else Answer.DOES_NOT_HOLD


def _failed(name: str, error: PhaseError) -> Reviewed:
    return Reviewed(name, Answer.FAILED, reason=error.detail, error=error)
