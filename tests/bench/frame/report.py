"""The benchmark's results for people and for programs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from tests.bench.frame.areas import AreaRun, MeasuredRow
from tests.bench.frame.machine import Machine
from tests.bench.row import Row

_COLUMNS = ("what", "ours", "baseline", "unit", "ratio", "aim", "load", "")
_RIGHT = {"ours", "baseline", "ratio", "aim", "load"}
#: From here on figures are rounded to whole ones, to tenths, to hundredths.
_WHOLE, _TENTHS, _HUNDREDTHS = 100, 10, 1


def heading(machine: Machine) -> str:
    """What everything was measured on, in two lines."""
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return f"{machine.cores} cores, {machine.processor}, {machine.memory_gb:g} GB, {machine.system}\n{versions}"


def table(run: AreaRun) -> Table:
    """The rows of one area."""
    made = Table(title=_title(run), title_justify="left", title_style="bold")
    for name in _COLUMNS:
        made.add_column(name, justify="right" if name in _RIGHT else "left", overflow="fold")
    for measured in run.rows:
        made.add_row(*_cells(measured), style=None if measured.row.is_met else "red")
    if run.failure is not None:
        made.add_row(Text(f"FAILED: {run.failure}"), style="bold red")
    return made


def summary(runs: Sequence[AreaRun]) -> str:
    """How many aims are met, and which areas did not end as they should."""
    rows = [measured.row for run in runs for measured in run.rows]
    aimed = [row for row in rows if row.has_aim]
    missed = sum(not row.is_met for row in aimed)
    seconds = sum(run.seconds for run in runs)
    words = f"{len(aimed) - missed} of {len(aimed)} aims met in {seconds:.0f} s, {len(rows)} rows"
    failed = ", ".join(run.name for run in runs if run.failure is not None)
    return f"{words}; FAILED: {failed}" if failed else words


def document(runs: Iterable[AreaRun], machine: Machine, began: datetime, *, quick: bool) -> dict[str, Any]:
    """All of it as JSON."""
    about = {"began_at": began.isoformat(timespec="seconds"), "quick": quick, "machine": machine.fields()}
    return about | {"areas": [run.fields() for run in runs]}


def figure(value: float) -> str:
    """A figure with as many digits as it deserves."""
    size = abs(value)
    if size >= _WHOLE:
        return f"{value:,.0f}"
    if size >= _TENTHS:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= _HUNDREDTHS else f"{value:.3g}"


def _title(run: AreaRun) -> str:
    if run.budget is None:
        return f"{run.name}: {run.seconds:.0f} s"
    over = " OVER ITS BUDGET" if run.seconds > run.budget else ""
    return f"{run.name}: {run.seconds:.0f} s of at most {run.budget:.0f}{over}"


def _cells(measured: MeasuredRow) -> Iterator[str]:
    row = measured.row
    yield row.name
    yield figure(row.ours)
    yield "" if row.baseline is None else figure(row.baseline)
    yield row.unit
    yield "" if row.ratio is None else figure(row.ratio)
    yield " and ".join(_aims(row))
    yield f"{measured.load:.1f}"
    verdict = ("met" if row.is_met else "MISSED") if row.has_aim else ""
    yield " ".join(filter(None, (verdict, row.extra)))


def _aims(row: Row) -> Iterator[str]:
    if row.aim is not None:
        yield f"<= {row.aim:.3g}x"
    if row.limit is not None:
        yield f"<= {row.limit:g} {row.unit}".rstrip()
