"""Which tests show which row, on Linux and on Windows' own Python under Wine."""

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.behaviour.collector import OUTPUT_VARIABLE

PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass
class Shown:
    """The tests that show a row."""

    on_linux: set[str] = field(default_factory=set)
    on_wine: set[str] = field(default_factory=set)


def rows_shown() -> dict[str, Shown]:
    """Every row that a test carries, by the tests' names.

    Raises:
        subprocess.CalledProcessError: The tests cannot be collected.
    """
    shown: dict[str, Shown] = defaultdict(Shown)
    suites = _suites_on_wine()
    for entry in _collected():
        test = entry["test"]
        # What depends on the platform may be left out there; what stands in a suite without a condition is not.
        on_wine = entry["windows"] or (not entry["conditional"] and test.startswith(suites))
        for row in entry["rows"]:
            if on_wine:
                shown[row].on_wine.add(test)
            if not entry["windows"] and not entry["skipped"]:
                shown[row].on_linux.add(test)
    for row, test in _windows_only(suites):
        shown[row].on_wine.add(test)
    return dict(shown)


def _collected() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "marked.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-W", "ignore", "-p", "no:cacheprovider"]
        subprocess.run(
            [*command, "-p", "deploy.behaviour.collector", "tests"],
            cwd=PROJECT,
            env=os.environ | {OUTPUT_VARIABLE: str(output)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        entries: list[dict[str, Any]] = json.loads(output.read_text(encoding="utf-8"))
    return entries


def _suites_on_wine() -> tuple[str, ...]:
    """Files and folders whose tests the Windows tests run there, too."""
    program = "from tests.windows.test_suites import SUITES; print(*(a for _, paths, _ in SUITES for a in paths))"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    return tuple(done.stdout.split())


def _windows_only(suites: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Rows and tests of files that cannot even be read by pytest elsewhere, from their decorators."""
    for path in sorted(PROJECT.glob("tests/worker/**/test_windows_*.py")):
        name = path.relative_to(PROJECT).as_posix()
        if not name.startswith(suites):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield from ((row, f"{name}::{node.name}") for row in _marked_rows(node))


def _marked_rows(function: ast.FunctionDef) -> list[str]:
    calls = [node for node in function.decorator_list if isinstance(node, ast.Call)]
    marks = [call for call in calls if ast.unparse(call.func) == "pytest.mark.behaviour"]
    return [ast.literal_eval(argument) for mark in marks for argument in mark.args]
