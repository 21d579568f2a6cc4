"""Attacker by attack: how each was refused, and whether it was seen to work with its guard removed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest
from rich.table import Table

#: Names of what a test's report carries: which attack it tries, which one it lets through, what it saw refuse it.
ATTACK, GUARD_REMOVED, REFUSED_BY = "attack", "guard_removed", "refused_by"


@dataclass
class Row:
    """One attack of one attacker.

    Attributes:
        tried: How each try ended: `passed` where the attack was refused.
        refused_by: What the tests saw: error codes, refusals of the broker, counters.
        let_through: How each test ended that removes the guard: `passed` where the attack worked then.
    """

    tried: list[str] = field(default_factory=list)
    refused_by: set[str] = field(default_factory=set)
    let_through: list[str] = field(default_factory=list)

    @property
    def gap(self) -> str | None:
        """What the row does not show; None where it shows all it must."""
        if not self.tried:
            return "the guard is removed, but the attack is not tried with it in place"
        if not self.let_through:
            return "nothing shows that the attack works without its guard"
        if "passed" in self.tried and not self.refused_by:
            return "nothing says what refused it"
        return None


def name_row(item: pytest.Item) -> None:
    """Have the reports of a test name the rows that its markers name; the attacker is the file's."""
    for kind in (ATTACK, GUARD_REMOVED):
        for marker in item.iter_markers(kind):
            module = item.getparent(pytest.Module)
            assert module is not None
            item.user_properties.append((kind, (module.obj.ATTACKER, *marker.args)))


def rows_of(reports: Iterable[pytest.TestReport]) -> dict[tuple[str, str], Row]:
    """The rows, by attacker and attack."""
    rows: dict[tuple[str, str], Row] = {}
    for report in reports:
        if report.when != "call" and report.passed:
            continue
        facts = report.user_properties
        seen = {str(value) for kind, value in facts if kind == REFUSED_BY}
        for kind, name in facts:
            if kind == ATTACK:
                row = rows.setdefault(tuple(name), Row())  # type: ignore[arg-type]  # it is a pair
                row.tried.append(report.outcome)
                row.refused_by |= seen
            elif kind == GUARD_REMOVED:
                rows.setdefault(tuple(name), Row()).let_through.append(report.outcome)  # type: ignore[arg-type]
    return rows


def attack_table(rows: dict[tuple[str, str], Row]) -> Table:
    """One line for each row."""
    table = Table("attacker", "attack", "tries", "refused", "by", "without the guard")
    for (attacker, attack), row in sorted(rows.items()):
        by = "\n".join(sorted(row.refused_by))
        table.add_row(
            attacker, attack, str(len(row.tried)), _result(row.tried), by, _result(row.let_through, "it works")
        )
    return table


def gaps(rows: dict[tuple[str, str], Row]) -> list[str]:
    """A sentence for each row that does not show all it must."""
    return [f"{attacker}: {attack}: {row.gap}" for (attacker, attack), row in sorted(rows.items()) if row.gap]


def _result(outcomes: Sequence[str], passed: str = "yes") -> str:
    if not outcomes:
        return "NOT SHOWN"
    return ", ".join(sorted({passed if outcome == "passed" else outcome.upper() for outcome in outcomes}))
