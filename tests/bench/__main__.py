"""Run every area's benchmark and print one table.

An area is a module beside this one with a function `rows(quick: bool) -> list[Row]`.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.row import Row

_HERE = Path(__file__).parent
_NO_AREAS = {"__main__", "row"}


def main() -> int:
    """Measure, print, and end with 1 where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer repetitions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON too")
    parser.add_argument("areas", nargs="*", help="only these areas")
    chosen = parser.parse_args()
    rows = list(_measure(chosen.areas, quick=chosen.quick))
    Console(width=None if sys.stdout.isatty() else 160).print(_table(rows))
    if chosen.json:
        chosen.json.write_text(json.dumps([row.fields() for row in rows], indent=2) + "\n")
    return 0 if all(row.is_met for row in rows) else 1


def _measure(areas: list[str], *, quick: bool) -> Iterator[Row]:
    for path in sorted(_HERE.glob("*.py")):
        if path.stem in _NO_AREAS or (areas and path.stem not in areas):
            continue
        rows: Callable[[bool], list[Row]] | None = getattr(import_module(f"tests.bench.{path.stem}"), "rows", None)
        if rows is not None:
            Console(stderr=True).print(f"measuring {path.stem} ...", style="dim")
            yield from rows(quick)


def _table(rows: list[Row]) -> Table:
    table = Table(title=f"{platform.machine()}, Python {platform.python_version()}; seconds, ours beside the baseline")
    for name in ("area", "what", "ours", "baseline", "ratio", "aim", ""):
        table.add_column(name, justify="right" if name in {"ours", "baseline", "ratio", "aim"} else "left")
    for row in rows:
        aim = "" if row.aim is None else f"<= {row.aim:g}"
        verdict = "" if row.aim is None else "met " if row.is_met else "MISSED "
        style = None if row.is_met else "red"
        figures = (f"{row.ours:.3f}", f"{row.baseline:.3f}", f"{row.ratio:.2f}", aim)
        table.add_row(row.area, row.name, *figures, verdict + row.extra, style=style)
    return table


if __name__ == "__main__":
    sys.exit(main())
