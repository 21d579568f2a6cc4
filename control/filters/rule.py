"""A rule as a tree, and the tree as text."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from control.filters.properties import Property

#: A text, several of them, or None for `$null`.
Value: TypeAlias = str | tuple[str, ...] | None


class Operator(StrEnum):
    """How a property is compared; read without regard to case."""

    EQUAL = "-eq"
    NOT_EQUAL = "-ne"
    STARTS_WITH = "-startsWith"
    CONTAINS = "-contains"
    NOT_CONTAINS = "-notContains"
    IN = "-in"
    NOT_IN = "-notIn"
    GREATER = "-gt"
    GREATER_OR_EQUAL = "-ge"
    LESS = "-lt"
    LESS_OR_EQUAL = "-le"


@dataclass(frozen=True)
class Comparison:
    """One property against one value; texts are trimmed already."""

    property: Property
    operator: Operator
    value: Value


@dataclass(frozen=True)
class Conjunction:
    """All parts hold; none of them is a conjunction itself."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Disjunction:
    """At least one part holds; none of them is a disjunction itself."""

    parts: tuple["Rule", ...]


Rule: TypeAlias = Comparison | Conjunction | Disjunction


def text_of(rule: Rule) -> str:
    """The rule in its one canonical spelling; reading that gives the same rule."""
    match rule:
        case Comparison():
            return f"device.{rule.property.word} {rule.operator} {_value_text(rule.value)}"
        case Conjunction():
            # `and` binds tighter, so only a disjunction inside it needs brackets.
            return " and ".join(_bracketed(part) for part in rule.parts)
        case Disjunction():
            return " or ".join(text_of(part) for part in rule.parts)


def _bracketed(part: Rule) -> str:
    return f"({text_of(part)})" if isinstance(part, Disjunction) else text_of(part)


def _value_text(value: Value) -> str:
    match value:
        case None:
            return "$null"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return f"[{', '.join(_value_text(one) for one in value)}]"
