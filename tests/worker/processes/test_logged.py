import os
import signal
from pathlib import Path

import psutil
import pytest

from deploy.local.polling import wait_until
from worker.processes import logged as module
from worker.processes.launch import Launch
from worker.processes.logged import Logged, launch_logged

_LIMIT = 10_000


def _start(folder: Path, script: str) -> Logged:
    what = Launch(["sh", "-c", script], folder, {"PATH": "/usr/bin:/bin"}, folder / "log")
    return launch_logged(what, head_bytes=_LIMIT, tail_bytes=_LIMIT)


def _run(folder: Path, script: str) -> bytes:
    logged = _start(folder, script)
    assert logged.process.wait(30) == 0
    logged.settle()
    assert logged.copier.returncode == 0
    return (folder / "log").read_bytes()


def test_output_and_errors_are_kept_in_the_order_they_were_written(tmp_path: Path) -> None:
    assert _run(tmp_path, "echo one; echo two >&2; printf three") == b"one\ntwo\nthree"


def test_of_endless_output_the_beginning_and_the_end_are_kept(tmp_path: Path) -> None:
    log = _run(tmp_path, "echo first; yes | head -c 50000000; echo last")
    assert log.startswith(b"first\ny\n")
    assert log.endswith(b"y\nlast\n")
    assert b"bytes are left out here" in log
    assert len(log) < 4 * _LIMIT


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    log = _run(tmp_path, f"head -c {1_000_000} /dev/zero")
    left_out = int(log.partition(b"[... ")[2].split()[0])
    assert left_out + log.count(0) == 1_000_000


def test_a_log_that_cannot_be_written_does_not_hold_the_installer_up(tmp_path: Path) -> None:
    (tmp_path / "log").symlink_to("/dev/full")
    logged = _start(tmp_path, "yes | head -c 1000000")
    assert logged.process.wait(30) == 0
    logged.settle()


def test_a_program_that_cannot_start_leaves_no_process(tmp_path: Path) -> None:
    before = psutil.Process().children()
    with pytest.raises(FileNotFoundError):
        launch_logged(Launch(["no-such-program"], tmp_path, {}, tmp_path / "log"))
    assert psutil.Process().children() == before


def test_a_service_that_holds_the_output_open_does_not_hold_the_agent_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SETTLE_SECONDS", 0.1)
    logged = _start(tmp_path, "sleep 60 & echo $!")
    assert logged.process.wait(30) == 0
    logged.settle()
    log = tmp_path / "log"
    # Nobody was held up: the copier may still be starting.
    assert wait_until(lambda: log.exists() and log.read_text().endswith("\n"), seconds=30)
    service = int(log.read_text())
    os.kill(service, signal.SIGKILL)
    assert wait_until(lambda: logged.copier.returncode is not None, seconds=10)
