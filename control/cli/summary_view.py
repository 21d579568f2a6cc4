"""How many jobs are where, as people see it."""

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from control.views.status import JobSummary

#: The parts of a summary in the order they are shown: field, words, colour.
_PARTS: Final = (
    ("done", "as wanted", "green"),
    ("under_way", "under way", "cyan"),
    ("retrying", "retrying", "yellow"),
    ("failed", "failed", "red"),
    ("not_applicable", "not applicable", "dim"),
    ("cancelled", "cancelled", "dim"),
)
_BAR_WIDTH: Final = 40


def summary_view(summary: JobSummary) -> RenderableType:
    """A line of numbers and a bar of their shares."""
    if not summary.jobs:
        return Text("no jobs\n", style="dim")
    line = Text(f"{summary.jobs} jobs", style="bold")
    for field, words, colour in _PARTS:
        count = getattr(summary, field)
        if count:
            line.append(f"  {count} {words}", style=colour)
    if summary.offline:
        line.append(f"  ({summary.offline} on devices that are offline)", style="dim")
    return Group(line, _bar(summary), Text())


def more_line(count: int) -> Text:
    """How many jobs are not shown one by one."""
    return Text(f"... and {count} more: --limit shows them, --json has all." if count > 0 else "", style="dim", end="")


def _bar(summary: JobSummary) -> Table:
    bar = Table.grid()
    text = Text()
    for field, _, colour in _PARTS:
        share = getattr(summary, field) / summary.jobs
        text.append("━" * round(share * _BAR_WIDTH), style=colour)
    text.append(f"  {summary.done / summary.jobs:.0%} as wanted")
    bar.add_row(text)
    return bar
