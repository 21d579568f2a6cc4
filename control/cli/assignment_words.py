"""Assignments as people read them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rich.table import Table

from control.cli.tables import plain_table
from control.cli.words import intent_word, time_word
from control.targeting import Mode, TimeBasis
from control.views.assignments import AssignmentView

#: What a word of `wish_word` is within a sentence, where it is another one.
_WISHES: Final = {"uninstall": "to be uninstalled"}


def assignment_table(assignments: Iterable[AssignmentView]) -> Table:
    """What is wanted where."""
    table = plain_table("app", "group", "intent", "terms", "since")
    for entry in assignments:
        table.add_row(entry.app, entry.group, wish_word(entry), ", ".join(_terms(entry)), time_word(entry.created_at))
    return table


def assignment_lines(entry: AssignmentView) -> list[str]:
    """An assignment with all its terms, a line each."""
    lines = [wish_line(entry), f"since {time_word(entry.created_at)}"]
    return [*lines, *_terms(entry)]


def wish_line(entry: AssignmentView) -> str:
    """`Editor is required on desks`."""
    word = wish_word(entry)
    return f"{entry.app} is {_WISHES.get(word, word)} on {entry.group}"


def wish_word(entry: AssignmentView) -> str:
    """`required`, `uninstall`, `available`, `excluded`."""
    return "excluded" if entry.mode is Mode.EXCLUDE else intent_word(entry.intent)


def _terms(entry: AssignmentView) -> list[str]:
    terms = [f"filter {entry.filter} {entry.filter_mode}s"] if entry.filter else []
    terms += [
        f"{word} {_time(moment, entry.time_basis)}"
        for word, moment in (("from", entry.start), ("deadline", entry.deadline))
        if moment is not None
    ]
    if entry.notifications is not None:
        terms.append(f"notifications {entry.notifications}")
    if entry.restart_settings is not None:
        terms.append(f"restart within {entry.restart_settings.grace_period_in_minutes:g} min")
    if entry.maintenance_windows:
        terms.append(f"{len(entry.maintenance_windows)} maintenance windows")
    if entry.delivery_priority != type(entry).model_fields["delivery_priority"].default:
        terms.append(f"{entry.delivery_priority} delivery")
    return terms


def _time(moment: datetime, basis: TimeBasis) -> str:
    if basis is TimeBasis.LOCAL:
        return f"{moment:%Y-%m-%d %H:%M:%S} by the device's clock"
    return time_word(moment)
