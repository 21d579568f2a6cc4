"""Comparing what was found with what a rule expects; nothing here touches the machine (behaviour 2.8)."""

import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from contract.rules import Operator, ScriptOutput

_COMPARISONS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.GREATER_THAN: operator.gt,
    Operator.GREATER_THAN_OR_EQUAL: operator.ge,
    Operator.LESS_THAN: operator.lt,
    Operator.LESS_THAN_OR_EQUAL: operator.le,
}

_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class NotOfTypeError(ValueError):
    """A text cannot be read as the type a rule asks for."""


def holds(how: Operator, actual: Any, expected: Any) -> bool:
    """Whether `actual how expected`; both of one type.

    Raises:
        NotOfTypeError: The rule names no operator.
    """
    if how not in _COMPARISONS:
        raise NotOfTypeError("the rule names no operator")
    return _COMPARISONS[how](actual, expected)


def as_text(text: str) -> str:
    """Text as it is compared: regardless of case."""
    return text.casefold()


def as_integer(text: str) -> int:
    """A whole number.

    Raises:
        NotOfTypeError: It is none.
    """
    try:
        return int(text.strip())
    except ValueError:
        raise NotOfTypeError(f"{text!r} is no whole number") from None


def as_float(text: str) -> float:
    """A number.

    Raises:
        NotOfTypeError: It is none.
    """
    try:
        return float(text.strip())
    except ValueError:
        raise NotOfTypeError(f"{text!r} is no number") from None


def as_boolean(text: str) -> bool:
    """True or false, in any case, or 1 or 0.

    Raises:
        NotOfTypeError: It is neither.
    """
    try:
        return _BOOLEANS[text.strip().casefold()]
    except KeyError:
        raise NotOfTypeError(f"{text!r} is neither true nor false") from None


def as_version(text: str) -> tuple[int, ...]:
    """The parts of a version, compared as numbers; missing parts count as 0, so that 1.2 equals 1.2.0.

    Raises:
        NotOfTypeError: It is not made of numbers and dots.
    """
    if not _VERSION.fullmatch(text.strip()):
        raise NotOfTypeError(f"{text!r} is no version")
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
    except ValueError:
        raise NotOfTypeError(f"{text!r} is no date and time (expected as 2026-01-31T12:00:00)") from None
    return to_second(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def to_second(moment: datetime) -> datetime:
    """File systems keep fractions that nobody writes into a rule."""
    return moment.astimezone(UTC).replace(microsecond=0)


#: How the output of a requirement script is read.
READERS: Final[dict[ScriptOutput, Callable[[str], Any]]] = {
    ScriptOutput.NOT_CONFIGURED: as_text,
    ScriptOutput.STRING: as_text,
    ScriptOutput.DATE_TIME: as_date,
    ScriptOutput.INTEGER: as_integer,
    ScriptOutput.FLOAT: as_float,
    ScriptOutput.VERSION: as_version,
    ScriptOutput.BOOLEAN: as_boolean,
}
