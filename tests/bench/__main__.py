"""Run the benchmark's areas, print a table for each, and end with 1 where an aim is missed or an area failed.

An area is a module beside this one with a function `rows(quick: bool) -> Iterable[Row]`.
"""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.bench.frame.areas import AreaRun, area_names, measure, unknown
from tests.bench.frame.machine import this_machine
from tests.bench.frame.report import document, heading, summary, table

_WIDTH = 180


def main() -> int:
    """Measure, print, and write JSON where it is asked for."""
    chosen = _arguments()
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    began, runs = datetime.now(UTC), list[AreaRun]()
    for name in [name for name in area_names() if not chosen.areas or name in chosen.areas]:
        Console(stderr=True).print(f"measuring {name} ...", style="dim")
        runs.append(measure(name, quick=chosen.quick))
        console.print(table(runs[-1]))
    # Only now: what an area compares with may have been installed by it.
    machine = this_machine()
    console.print(heading(machine), summary(runs), sep="\n", highlight=False)
    if chosen.json:
        written = json.dumps(document(runs, machine, began, quick=chosen.quick), indent=2)
        chosen.json.write_text(written + "\n", encoding="utf-8")
    return 0 if all(run.is_met for run in runs) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer repetitions")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON, too")
    parser.add_argument("areas", nargs="*", help="only these areas")
    chosen = parser.parse_args()
    if wrong := unknown(chosen.areas):
        parser.error(f"no such area: {', '.join(wrong)}; there are {', '.join(area_names())}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
