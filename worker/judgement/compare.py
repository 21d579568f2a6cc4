"""Comparing what was found with what a rule expects; nothing here touches the machine (behaviour 2.8)."""

import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from contract.rules import Operator
from worker.judgement.verdict import CannotTellError, RuleInvalidError, Verdict, shortened

#: Reads a text as the type a rule asks for.
Reader = Callable[[str], Any]

_COMPARISONS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER_THAN: operator.gt,
    Operator.GREATER_THAN_OR_EQUAL: operator.ge,
    Operator.LESS_THAN: operator.lt,
    Operator.LESS_THAN_OR_EQUAL: operator.le,
}

_INTEGER = re.compile(r"[+-]?[0-9]+")
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
#: Nobody writes longer numbers; Python refuses to read those of more than 4,300 digits.
_MAX_CHARACTERS = 1000


class NotOfTypeError(ValueError):
    """A text cannot be read as the type a rule asks for."""


class FoundNotOfTypeError(CannotTellError):
    """What the machine holds is not of the type the rule compares."""


def expectation(how: Operator, value: str | None, read: Reader) -> Any:
    """What a rule expects, as its type.

    Raises:
        RuleInvalidError: The rule names no operator or no value, or its value is of another type.
    """
    if how is Operator.NOT_CONFIGURED:
        raise RuleInvalidError("the rule compares, but names no operator")
    if value is None:
        raise RuleInvalidError("the rule compares, but names no value to compare with")
    try:
        return read(value)
    except NotOfTypeError as error:
        raise RuleInvalidError(f"the rule's own value: {error}") from error


def compare(subject: str, found: str, how: Operator, value: str | None, read: Reader, *, what: str = "") -> Verdict:
    """The answer of a rule that compares.

    Args:
        subject: What was looked at.
        found: What it holds, as text.
        how: The rule's operator.
        value: What the rule compares with.
        read: Reads both texts as the rule's type.
        what: Which side of the subject it is, such as its size.

    Raises:
        RuleInvalidError: The rule cannot be compared with anything.
        FoundNotOfTypeError: What was found is of another type.
    """
    expected = expectation(how, value, read)
    try:
        actual = read(found)
    except NotOfTypeError as error:
        raise FoundNotOfTypeError(f"{subject}: found {error}") from error
    return Verdict(
        _COMPARISONS[how](actual, expected), subject, f"{what} {shortened(found)}".strip(), shortened(f"{how} {value}")
    )


def as_text(text: str) -> str:
    """Text as it is compared: regardless of case."""
    return text.casefold()


def as_integer(text: str) -> int:
    """A whole number.

    Raises:
        NotOfTypeError: It is none.
    """
    digits = _short(text)
    if not _INTEGER.fullmatch(digits):
        raise NotOfTypeError(f"{_shown(text)}, which is no whole number")
    return int(digits)


def as_float(text: str) -> float:
    """A number.

    Raises:
        NotOfTypeError: It is none.
    """
    try:
        number = float(_short(text))
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise NotOfTypeError(f"{_shown(text)}, which is no number")
    return number


def as_boolean(text: str) -> bool:
    """True or false, in any case, or 1 or 0.

    Raises:
        NotOfTypeError: It is neither.
    """
    try:
        return _BOOLEANS[text.strip().casefold()]
    except KeyError:
        raise NotOfTypeError(f"{_shown(text)}, which is neither true nor false") from None


def as_version(text: str) -> tuple[int, ...]:
    """The parts of a version, compared as numbers; missing parts count as 0, so that 1.2 equals 1.2.0.

    Raises:
        NotOfTypeError: It is not made of numbers and dots.
    """
    if not _VERSION.fullmatch(_short(text)):
        raise NotOfTypeError(f"{_shown(text)}, which is no version")
    parts = [int(part) for part in text.strip().split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def as_date(text: str) -> datetime:
    """A moment, to the second; without a zone it is taken as UTC.

    Raises:
        NotOfTypeError: It is not written as ISO 8601 has it.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        return to_second(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise NotOfTypeError(f"{_shown(text)}, which is no date and time (such as 2026-01-31T12:00:00)") from None


def to_second(moment: datetime) -> datetime:
    """File systems keep fractions that nobody writes into a rule."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _short(text: str) -> str:
    """The text without blanks around it; nothing of one that is too long for a number."""
    return text.strip() if len(text) <= _MAX_CHARACTERS else ""


def _shown(text: str) -> str:
    return repr(shortened(text))
