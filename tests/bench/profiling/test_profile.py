import json
import sys
from pathlib import Path

import pytest

from deploy.supply_chain.lock_file import PROJECT
from tests.bench import profile
from tests.bench.profiling.recording import Recording


def _recording(folder: Path, name: str, label: str, seconds: float) -> Recording:
    frames = [
        {"name": "run", "file": "/usr/lib/python3.11/runpy.py", "line": 1},
        {"name": "plan", "file": f"{PROJECT}/control/plan.py", "line": 2},
    ]
    file = folder / name
    recorded = {"shared": {"frames": frames}, "profiles": [{"samples": [[0, 1], [0]], "weights": [seconds, 1.0]}]}
    file.write_text(json.dumps(recorded), encoding="utf-8")
    return Recording(label, file)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, object]:
    """What the program asked to be recorded; one recording of the API is the answer."""
    noted: dict[str, object] = {}

    def record(command: list[str], folder: Path, wanted: str, *, rate: int) -> list[Recording]:
        noted.update(command=command[1:], folder=folder, wanted=wanted, rate=rate)
        if wanted == "nobody":
            raise RuntimeError("nothing was recorded")
        return [_recording(folder, "1", "outrider-control api", 3.0)]

    monkeypatch.setattr(profile, "record", record)
    monkeypatch.chdir(tmp_path)
    return noted


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["profile", *arguments])
    return profile.main()


def test_processes_that_run_the_same_are_taken_together(tmp_path: Path) -> None:
    recordings = [_recording(tmp_path, "1", "api", 3.0), _recording(tmp_path, "2", "api", 4.0)]
    words = list(profile.report(recordings))
    assert words[0] == "api: 9.00 s at work, 0.00 s more loading modules"
    assert words[2].split() == ["7.00", "s", "77.8", "%", "plan", "(control/plan.py:2)"]


def test_the_projects_own_functions_have_a_table_of_their_own(tmp_path: Path) -> None:
    words = list(profile.report([_recording(tmp_path, "1", "api", 3.0)]))
    at = words.index("\ntime with what it calls, this project's own functions")
    assert [line.rpartition("  ")[2] for line in words[at + 1 : at + 3]] == [
        "plan (control/plan.py:2)",
        "\ntime with what it calls, all functions",
    ]


def test_an_area_is_profiled_in_the_process_that_is_measured(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "api") == 0
    assert asked["command"] == ["-m", "tests.bench", "--quick", "api"]
    assert asked["wanted"] == "outrider-control api"
    kept = Path(".outrider/profile/api/functions.txt").read_text(encoding="utf-8")
    assert kept.startswith("outrider-control api: 4.00 s")
    assert kept.splitlines()[3] in capsys.readouterr().out


def test_the_long_run_and_another_process_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch, asked: dict[str, object]
) -> None:
    assert _run(monkeypatch, "--full", "--process", "outrider-control worker", "dispatch") == 0
    assert asked["command"] == ["-m", "tests.bench", "dispatch"]
    assert asked["wanted"] == "outrider-control worker"


@pytest.mark.usefixtures("asked")
def test_where_nothing_was_recorded_it_ends_with_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, "--process", "nobody", "api") == 1
    assert capsys.readouterr().err == "nothing was recorded\n"


@pytest.mark.usefixtures("asked")
def test_a_wrong_area_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _run(monkeypatch, "teleport")
    assert ended.value.code == 2
    assert "no such area: teleport" in capsys.readouterr().err
