from pathlib import Path

import psutil
import pytest

from worker.processes.script import MAX_OUTPUT_BYTES, ScriptFailedError, ScriptResult, run_script

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def _run(folder: Path, content: str, *, interpreter: tuple[str, ...] = ("/bin/sh",), limit: float = 10) -> ScriptResult:
    return run_script(content, interpreter=interpreter, folder=folder, environment=ENVIRONMENT, limit_seconds=limit)


def test_exit_code_output_and_errors_are_kept_apart(tmp_path: Path) -> None:
    assert _run(tmp_path, "echo out; echo err >&2; exit 3") == ScriptResult(3, "out\n", "err\n")


def test_the_script_and_all_it_left_are_removed(tmp_path: Path) -> None:
    _run(tmp_path, "touch litter")
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_runs_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(ScriptFailedError, match="longer than"):
        _run(tmp_path, "sleep 61 & sleep 61", limit=0.2)
    assert not [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "61"]]


def test_an_interpreter_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScriptFailedError, match="no-such-shell"):
        _run(tmp_path, "true", interpreter=("no-such-shell",))


def test_endless_output_is_not_read_into_memory(tmp_path: Path) -> None:
    result = _run(tmp_path, f"head -c {MAX_OUTPUT_BYTES + 10} /dev/zero | tr '\\0' x")
    assert len(result.output) == MAX_OUTPUT_BYTES


def test_output_that_is_no_text_is_still_read(tmp_path: Path) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in _run(tmp_path, "printf '\\377'").output


def test_scripts_are_kept_as_they_are_written(tmp_path: Path) -> None:
    assert _run(tmp_path, 'echo "grüße"').output == "grüße\n"
