"""Whether a device matches a rule, and why; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, TypeAlias

from control.filters.properties import Kind, Property
from control.filters.rule import Comparison, Conjunction, Disjunction, Operator, Rule, text_of

#: What a device has of each property; None, like a property that is not there, is no value.
Facts: TypeAlias = Mapping[Property, str | None]

_DENIALS: Final = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
}
#: What `_compared` may answer for each operator that orders.
_ORDERS: Final = {
    Operator.GREATER: (1,),
    Operator.GREATER_OR_EQUAL: (0, 1),
    Operator.LESS: (-1,),
    Operator.LESS_OR_EQUAL: (-1, 0),
}
_LEADING_NUMBERS: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})*")


@dataclass(frozen=True)
class Verdict:
    """One comparison of a rule on one device.

    Attributes:
        term: The comparison.
        found: The device's own value; None where it has none.
    """

    term: str
    found: str | None
    holds: bool


def matches(rule: Rule, facts: Facts) -> bool:
    """Whether a device with these facts matches."""
    match rule:
        case Comparison():
            return _holds(rule, facts.get(rule.property))
        case Conjunction():
            return all(matches(part, facts) for part in rule.parts)
        case Disjunction():
            return any(matches(part, facts) for part in rule.parts)


def explain(rule: Rule, facts: Facts) -> tuple[Verdict, ...]:
    """Each comparison with what the device has and whether it holds, in the rule's order."""
    if isinstance(rule, Comparison):
        found = facts.get(rule.property)
        return (Verdict(text_of(rule), found, _holds(rule, found)),)
    return tuple(verdict for part in rule.parts for verdict in explain(part, facts))


def _holds(comparison: Comparison, found: str | None) -> bool:
    """A property without a value equals nothing but `$null`, and everything else is unequal to it."""
    value = None if found is None else found.strip().casefold() or None
    denied = _DENIALS.get(comparison.operator)
    if denied is not None:
        return not _is_so(denied, comparison, value)
    return _is_so(comparison.operator, comparison, value)


def _is_so(operator: Operator, comparison: Comparison, value: str | None) -> bool:
    """Whether an operator that denies nothing holds."""
    wanted = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    if operator in (Operator.EQUAL, Operator.IN):
        return any(_equal(comparison.property.kind, value, one) for one in wanted)
    if value is None:
        return False
    text = str(comparison.value).casefold()
    if operator is Operator.CONTAINS:
        return text in value
    if operator is Operator.STARTS_WITH:
        return value.startswith(text)
    order = _compared(value, text)
    return order is not None and order in _ORDERS[operator]


def _equal(kind: Kind, value: str | None, wanted: str | None) -> bool:
    if value is None or wanted is None:
        return value is None and wanted is None
    return value == wanted.casefold() if kind is Kind.TEXT else _compared(value, wanted) == 0


def _compared(one: str, other: str) -> int | None:
    """-1, 0 or 1 as the first is smaller, equal or greater; None where it does not begin with numbers."""
    numbers, others = _numbers(one), _numbers(other)
    if numbers is None or others is None:
        return None
    for left, right in zip_longest(numbers, others, fillvalue=0):
        if left != right:
            return -1 if left < right else 1
    return 0


def _numbers(text: str) -> tuple[int, ...] | None:
    """What the text begins with: a Linux kernel calls itself `6.1.0-18-amd64`."""
    leading = _LEADING_NUMBERS.match(text)
    return None if leading is None else tuple(int(part) for part in leading[0].split("."))
