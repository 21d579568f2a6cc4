import json
import sys
from pathlib import Path

import pytest

from tests.bench import __main__ as program
from tests.bench.frame.areas import AreaRun, MeasuredRow, area_names
from tests.bench.row import Row


def _measured(name: str, *, quick: bool) -> AreaRun:
    failure = "OSError: no disk" if name == "packages" else None
    return AreaRun(name, rows=[MeasuredRow(Row(name, f"quick {quick}", 1.0, 2.0), 0.5)], failure=failure)


@pytest.fixture(autouse=True)
def _no_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "measure", _measured)


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    return program.main()


def test_the_named_areas_are_measured_printed_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "--quick", "trust", "dispatch", "--json", str(tmp_path / "rows.json")) == 0
    written = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert [area["name"] for area in written["areas"]] == ["dispatch", "trust"]
    assert "quick True" in capsys.readouterr().out


def test_a_failed_area_does_not_hide_the_others_and_ends_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "packages", "trust") == 1
    printed = capsys.readouterr().out
    assert "FAILED: OSError: no disk" in printed
    assert "trust: 0 s" in printed


def test_without_names_all_areas_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    names = list[str]()

    def noted(name: str, *, quick: bool) -> AreaRun:
        names.append(name)
        return AreaRun(name)

    monkeypatch.setattr(program, "measure", noted)
    assert _run(monkeypatch) == 0
    assert names == area_names()


def test_a_wrong_area_is_refused_with_the_right_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _run(monkeypatch, "teleport")
    assert ended.value.code == 2
    assert "no such area: teleport; there are " in capsys.readouterr().err
