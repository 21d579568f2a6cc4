"""What became of one rule."""

from dataclasses import dataclass

from contract.error_codes import ErrorCode
from contract.errors import PhaseError


@dataclass(frozen=True)
class Verdict:
    """A rule's answer.

    Attributes:
        holds: Whether the rule is satisfied.
        words: What was compared with what, for the person who has to understand it.
    """

    holds: bool
    words: str


def not_evaluated(reason: str, *, place: str) -> PhaseError:
    """The error of a rule that could not be evaluated; it never counts as an answer (behaviour B-36)."""
    return PhaseError(ErrorCode.RULE_EVALUATION_FAILED, detail=reason, place=place)
