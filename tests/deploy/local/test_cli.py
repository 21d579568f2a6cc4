"""The stack's commands as a person runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from contract.exit_statuses import ExitStatus

pytestmark = pytest.mark.integration


def command(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", *words, "--folder", str(folder)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_status_of_what_does_not_run_says_so(tmp_path: Path) -> None:
    done = command(tmp_path / "none", "status")
    assert done.returncode == ExitStatus.UNAVAILABLE
    assert str(tmp_path / "none") in done.stderr.replace("\n", "")
    assert not (tmp_path / "none").exists()


def test_down_of_what_does_not_run_is_fine(tmp_path: Path) -> None:
    assert command(tmp_path / "none", "down").returncode == ExitStatus.OK


def test_a_busy_stack_is_one_sentence_and_a_hint(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"):
        done = command(tmp_path, "up")
    assert done.returncode == ExitStatus.FAILED
    assert "Another command is already working on this stack." in done.stderr
    assert "Wait until it has ended" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_incomplete_environment_is_named_before_anything_starts(tmp_path: Path) -> None:
    done = command(tmp_path, "up", S3_ENDPOINT="https://s3.example")
    assert done.returncode == ExitStatus.USAGE
    assert "S3_ACCESS_KEY" in done.stderr
    assert "Traceback" not in done.stderr
