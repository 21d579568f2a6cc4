from typing import Any

import pytest

from deploy.supply_chain.lock_file import PROJECT
from tests.bench.profiling.samples import WorkTime, label


def _frame(name: str, file: str) -> dict[str, Any]:
    return {"name": name, "file": file, "line": 7, "col": None}


_RECORDED = {
    "shared": {
        "frames": [
            _frame("main", f"{PROJECT}/control/main.py"),
            _frame("plan", f"{PROJECT}/control/plan.py"),
            _frame("loads", "/usr/lib/python3.11/json/__init__.py"),
            _frame("_load_unlocked", "<frozen importlib._bootstrap>"),
        ]
    },
    "profiles": [
        {"samples": [[0], [0, 1], [0, 1, 1]], "weights": [0.01, 0.02, 0.04]},
        {"samples": [[0, 1, 2], [0, 3, 1], []], "weights": [0.08, 0.16, 0.32]},
    ],
}
_MAIN, _PLAN, _LOADS = "main (control/main.py:7)", "plan (control/plan.py:7)", "loads (json/__init__.py:7)"


def test_own_time_is_the_innermost_functions_and_the_rest_counts_once_for_each_function() -> None:
    work = WorkTime()
    work.add_all(_RECORDED)
    assert work.own == pytest.approx({_MAIN: 0.01, _PLAN: 0.06, _LOADS: 0.08})
    assert work.cumulative == pytest.approx({_MAIN: 0.15, _PLAN: 0.14, _LOADS: 0.08})
    assert work.seconds == pytest.approx(0.15)


def test_loading_modules_is_kept_apart() -> None:
    work = WorkTime()
    work.add_all(_RECORDED)
    assert work.importing == pytest.approx(0.16)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/x/bin/python3.11", "/x/bin/outrider-control", "api", "--port", "80"], "outrider-control api"),
        (["/x/bin/python", "/x/bin/outrider-control", "--help"], "outrider-control"),
        (["python", "-W", "error", "-I", "-m", "tests.bench", "--quick", "api"], "tests.bench"),
        (["python", "-c", "import this"], "python"),
        (["python"], "python"),
        (["/x/valkey-server", "*:6379"], "valkey-server"),
        ([], "unknown"),
    ],
)
def test_a_process_is_called_by_what_it_runs(command: list[str], words: str) -> None:
    assert label(command) == words
