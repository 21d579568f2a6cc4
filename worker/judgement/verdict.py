"""What became of one rule: an answer, or one of two reasons why there is none."""

from dataclasses import dataclass

#: More than this of what was found is not repeated in words.
_SHOWN_CHARACTERS = 200


class RuleInvalidError(Exception):
    """The rule itself makes no sense, whatever the machine holds: whoever wrote it corrects it."""


class CannotTellError(Exception):
    """The rule makes sense, but this machine does not tell now, or holds what cannot be compared."""


@dataclass(frozen=True)
class Verdict:
    """A rule's answer, and what was compared with what for the person who has to understand it.

    Attributes:
        holds: Whether the rule is satisfied.
        subject: What was looked at: a path, a key, a package.
        found: What is there.
        expected: What the rule wants there.
        of_wrong_type: What a script printed could not be compared, so that the rule does not hold.
    """

    holds: bool
    subject: str
    found: str
    expected: str
    of_wrong_type: bool = False

    @property
    def words(self) -> str:
        """All of it in one line."""
        return f"{self.subject}: {self.found}, expected {self.expected}"


def absent(subject: str, wanted: str) -> Verdict:
    """The answer of a comparison where there is nothing to compare: not even `notEqual` holds."""
    return Verdict(False, subject, "not there", shortened(wanted))


def presence(subject: str, *, is_there: bool, wanted: bool) -> Verdict:
    """The answer to `exists` and `doesNotExist`."""
    return Verdict(is_there is wanted, subject, _there(is_there=is_there), _there(is_there=wanted))


def _there(*, is_there: bool) -> str:
    return "there" if is_there else "not there"


def shortened(text: str) -> str:
    """The text as words repeat it."""
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
