"""Tables of filters and of what they match."""

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from control.cli.tables import plain_table
from control.cli.words import time_word
from control.filters.properties import Property
from control.views.filters import FilterView, MatchView, VerdictView


def filter_table(filters: Iterable[FilterView]) -> Table:
    """All filters."""
    table = plain_table("name", "rule", "created")
    for one in filters:
        table.add_row(one.name, one.rule, time_word(one.created_at))
    return table


def match_table(matches: Iterable[MatchView]) -> Table:
    """Whether each device matches, and which comparisons say so."""
    table = plain_table("device", "matches", "because")
    for match in matches:
        word = Text("yes", style="green") if match.matches else Text("no", style="dim")
        table.add_row(match.device, word, "; ".join(_verdict_word(verdict) for verdict in match.verdicts))
    return table


def property_table() -> Table:
    """What a rule can ask for."""
    table = plain_table("property", "compared as", "meaning")
    for each in Property:
        table.add_row(f"device.{each.word}", each.kind, each.meaning)
    return table


def verdict_lines(match: MatchView) -> list[str]:
    """What a rule says of one device."""
    head = f"{match.device} {'matches' if match.matches else 'does not match'}"
    return [head, *(f"  {_verdict_word(verdict)}" for verdict in match.verdicts)]


def _verdict_word(verdict: VerdictView) -> str:
    found = "no value" if verdict.found is None else f'"{verdict.found}"'
    return f"{'yes' if verdict.holds else 'no'}: {verdict.term}, found {found}"
