import os
import sys
from collections.abc import Iterable, Iterator

import pytest

from tests.bench.frame.areas import QUICK_BUDGETS, area_names, load_area, measure, unknown
from tests.bench.row import Row

_MET = Row("area", "met", 1.0, 2.0, aim=1.0)
_MISSED = Row("area", "missed", 2.0, 1.0, aim=1.0)
_SHORT_RUN_SECONDS = 180


def _two(quick: bool) -> Iterable[Row]:
    return [_MET, Row("area", f"quick {quick}", 1.0)]


def _falls(quick: bool) -> Iterator[Row]:
    yield _MET
    raise ValueError("the broker is away")


def test_an_area_brings_its_rows_with_the_load_and_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 0.0, 0.0))
    run = measure("anything", quick=True, load=lambda _: _two)
    assert [(measured.row.name, measured.load) for measured in run.rows] == [("met", 1.5), ("quick True", 1.5)]
    assert run.is_met
    assert run.seconds > 0


def test_the_load_is_that_of_the_moment_of_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = iter([(1.0, 0.0, 0.0), (2.0, 0.0, 0.0)])
    monkeypatch.setattr(os, "getloadavg", lambda: next(loads))
    assert [measured.load for measured in measure("anything", quick=True, load=lambda _: _two).rows] == [1.0, 2.0]


def test_an_area_that_fails_says_why_and_keeps_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    run = measure("anything", quick=True, load=lambda _: _falls)
    assert [measured.row for measured in run.rows] == [_MET]
    assert run.failure == "ValueError: the broker is away"
    assert not run.is_met
    assert "_falls" in capsys.readouterr().err


def test_a_long_failure_is_told_by_its_first_and_last_line() -> None:
    def falls(_quick: bool) -> Iterable[Row]:
        raise RuntimeError("Traceback:\n  in a child\nImportError: no such module\n")

    failure = measure("anything", quick=True, load=lambda _: falls).failure
    assert failure == "RuntimeError: Traceback: ... ImportError: no such module"


def test_an_area_that_cannot_be_imported_has_failed() -> None:
    run = measure("no_such_area", quick=True)
    assert run.failure is not None
    assert run.failure.startswith("ModuleNotFoundError")


def test_a_missed_aim_is_no_failure_and_not_met() -> None:
    run = measure("anything", quick=False, load=lambda _: lambda _quick: [_MET, _MISSED])
    assert run.failure is None
    assert not run.is_met


def test_what_an_area_prints_stays_out_of_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    def chatty(_quick: bool) -> list[Row]:
        sys.stdout.write("planned\n")
        return []

    measure("anything", quick=True, load=lambda _: chatty)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "planned\n")


def test_a_budget_belongs_to_the_short_run_only() -> None:
    assert measure("dispatch", quick=True, load=lambda _: _two).budget == QUICK_BUDGETS["dispatch"]
    assert measure("dispatch", quick=False, load=lambda _: _two).budget is None


def test_every_area_has_a_budget_and_together_they_stay_below_three_minutes() -> None:
    names = area_names()
    assert {"api", "dispatch", "packages"} <= set(names)
    assert "row" not in names
    assert set(names) <= set(QUICK_BUDGETS)
    assert sum(QUICK_BUDGETS.values()) < _SHORT_RUN_SECONDS


def test_each_area_can_be_loaded() -> None:
    assert all(callable(load_area(name)) for name in area_names())


def test_a_name_that_is_no_area_is_known_as_such() -> None:
    assert unknown(["dispatch", "teleport"]) == ["teleport"]
