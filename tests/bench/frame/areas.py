"""The areas of the benchmark: modules beside this folder with a function `rows(quick: bool) -> Iterable[Row]`."""

import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tests.bench.row import Row

#: Measures; the argument asks for smaller inputs and fewer repetitions.
Rows = Callable[[bool], Iterable[Row]]

#: How long each area's short run may take on a quiet machine, in seconds; together less than three minutes.
QUICK_BUDGETS: Final = {
    "agent_at_rest": 39.0,
    "agent_job": 11.0,
    "api": 18.0,
    "control_plane": 35.0,
    "database": 13.0,
    "deployment": 23.0,
    "dispatch": 2.0,
    "fleet_at_rest": 4.0,
    "packages": 13.0,
    "planning": 11.0,
    "trust": 10.0,
}

_FOLDER = Path(__file__).parents[1]


@dataclass(frozen=True)
class MeasuredRow:
    """A row, and how busy the machine was.

    Attributes:
        load: The average number of processes that wanted a core in the minute in which it was measured.
    """

    row: Row
    load: float

    def fields(self) -> dict[str, Any]:
        """Both as JSON fields."""
        return self.row.fields() | {"load_average": self.load}


@dataclass
class AreaRun:
    """What one area brought.

    Attributes:
        budget: Seconds it may take; None where nothing is laid down for it.
        seconds: What it took on the clock.
        failure: What ended it before its time, in words; None where it ended as it should.
    """

    name: str
    budget: float | None = None
    rows: list[MeasuredRow] = field(default_factory=list)
    seconds: float = 0.0
    failure: str | None = None

    @property
    def is_met(self) -> bool:
        """Whether it ended as it should, and each of its aims is reached."""
        return self.failure is None and all(measured.row.is_met for measured in self.rows)

    def fields(self) -> dict[str, Any]:
        """The run as JSON fields."""
        rows = [measured.fields() for measured in self.rows]
        about = {"name": self.name, "seconds": round(self.seconds, 1), "budget_seconds": self.budget}
        return about | {"failure": self.failure, "rows": rows}


def area_names() -> list[str]:
    """All areas there are, in the order in which they run."""
    modules = (path for path in _FOLDER.glob("*.py") if not path.stem.startswith(("__", "test_")))
    return sorted(path.stem for path in modules if "\ndef rows(" in path.read_text(encoding="utf-8"))


def unknown(chosen: Sequence[str]) -> list[str]:
    """Which of these are no areas."""
    return sorted(set(chosen) - set(area_names()))


def load_area(name: str) -> Rows:
    """The function that measures an area."""
    rows: Rows = import_module(f"tests.bench.{name}").rows
    return rows


def measure(name: str, *, quick: bool, load: Callable[[str], Rows] = load_area) -> AreaRun:
    """Measure one area; whatever goes wrong in it is told in the answer and keeps what was measured before.

    Its modules' own chatter goes to the standard error: the standard output is for the tables.
    """
    run = AreaRun(name, QUICK_BUDGETS.get(name) if quick else None)
    began = time.perf_counter()
    try:
        with redirect_stdout(sys.stderr):
            for row in load(name)(quick):
                run.rows.append(MeasuredRow(row, os.getloadavg()[0]))
    except Exception as error:  # noqa: BLE001 - the other areas are measured, whatever this one met
        traceback.print_exc()
        run.failure = f"{type(error).__name__}: {_in_one_line(str(error))}"
    run.seconds = time.perf_counter() - began
    return run


def _in_one_line(words: str) -> str:
    """The first line and the last; all of it stands on the standard error."""
    lines = words.strip().splitlines()
    return words.strip() if len(lines) <= 1 else f"{lines[0]} ... {lines[-1]}"
