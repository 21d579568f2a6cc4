"""Attacker by attack: what the suite tried and what came of it, for people."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.table import Table

#: By the file that holds the attacks.
ATTACKERS = {
    "test_device": "a device",
    "test_flower_visitor": "a visitor of Flower",
    "test_former_device": "a former device",
    "test_key_exchange": "a former device",
    "test_network": "the network",
    "test_operator": "an operator",
}


def attack_table(reports: Sequence[pytest.TestReport]) -> Table:
    """One row for each attack; those with several inputs count them."""
    results: dict[tuple[str, str], list[str]] = {}
    for report in reports:
        if report.when == "call" or report.skipped:
            path, _, name = report.nodeid.partition("::")
            attacker = ATTACKERS[Path(path).stem]
            attack = name.partition("[")[0].removeprefix("test_").replace("_", " ")
            results.setdefault((attacker, attack), []).append(report.outcome)
    table = Table("attacker", "what holds", "tried", "result")
    for (attacker, attack), outcomes in sorted(results.items()):
        table.add_row(attacker, attack, str(len(outcomes)), ", ".join(sorted(set(outcomes))))
    return table
