"""Inject every fault and print one table: `python -m tests.faults [--quick] [--json FILE] [names]`.

Ends with 1 where a job was lost, an app was installed twice, or somebody waited without a reason.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.all_faults import FAULTS
from tests.faults.ground import ALL_KILLS, QUICK_KILLS, Fault, Ground, ground
from tests.faults.row import Row

_WIDTH = 160


def main() -> int:
    """Try, print, and end with 1 where a figure is not what it has to be."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer kills over fewer jobs")
    parser.add_argument("--kills", type=int, help=f"random kills of devices ({ALL_KILLS}, or {QUICK_KILLS} when quick)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON too")
    parser.add_argument("names", nargs="*", help="only faults whose names contain one of these")
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    kills = chosen.kills or (QUICK_KILLS if chosen.quick else ALL_KILLS)
    rows: list[Row] = []
    faults = [fault for fault in FAULTS if not chosen.names or any(name in fault.name for name in chosen.names)]
    with (
        tempfile.TemporaryDirectory(prefix="outrider-faults-", ignore_cleanup_errors=True) as folder,
        ground(Path(folder), quick=chosen.quick, kills=kills) as tried,
    ):
        for fault in faults:
            rows.append(_told(fault, tried))
            if chosen.json:
                chosen.json.write_text(json.dumps(_document(rows), indent=2) + "\n", encoding="utf-8")
    console.print(_table(rows))
    for row in rows:
        for problem in row.problems if not row.may_fail else ():
            console.print(f"[red]{row.fault}: {problem}[/]")
    return 0 if all(row.is_good for row in rows) else 1


def _told(fault: Fault, tried: Ground) -> Row:
    console = Console(stderr=True)
    console.print(f"{fault.name} ...", style="dim")
    if reason := fault.why_not():
        return Row(fault.name, injected=0, jobs=0, extra=f"left out: {reason}")
    try:
        row = fault.run(tried)
    except Exception as error:  # noqa: BLE001  the other faults are still to be tried, and this one is not good
        console.print_exception()
        row = Row(fault.name, injected=0, jobs=0, lost=(f"the trial ended with {type(error).__name__}: {error}",))
    console.print(f"  {row.seconds:.0f} s, {'as it has to be' if row.is_good else 'NOT as it has to be'}", style="dim")
    return row


def _document(rows: list[Row]) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "rows": [row.fields() for row in rows],
    }


def _table(rows: list[Row]) -> Table:
    table = Table(title=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    table.add_column("fault")
    for name in ("injected", "jobs", "lost", "installed twice", "longest to resume, s", "without reason"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        resumed = "" if row.resumed_seconds is None else f"{row.resumed_seconds:.1f}"
        counts = (row.injected, row.jobs, len(row.lost), len(row.twice), resumed, len(row.unreasoned))
        table.add_row(row.fault, *map(str, counts), row.extra, style=None if row.is_good else "red")
    return table


if __name__ == "__main__":
    sys.exit(main())
