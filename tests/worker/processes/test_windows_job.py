"""Run on Windows only."""

import contextlib
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from worker.processes.launch import Launch, launch
from worker.processes.mark import MARK
from worker.processes.tree import end_tree
from worker.processes.watched import find_again, wait_within

#: Starts a grandchild, says its number and ends at once: nobody's child list leads to the grandchild any more.
_PARENT = """\
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdin=subprocess.DEVNULL)
print(child.pid, flush=True)
"""
_SLEEPER = "import time; time.sleep(60)"
#: CREATE_SUSPENDED, which `subprocess` does not name.
_SUSPENDED = 0x4


def _start(folder: Path, code: str) -> psutil.Popen:
    environment = dict(psutil.Process().environ())
    return launch(Launch([sys.executable, "-c", code], folder, environment, folder / "output"))


def test_what_lost_its_parent_ends_with_the_tree(tmp_path: Path) -> None:
    root = _start(tmp_path, _PARENT)
    assert root.wait(20) == 0
    orphan = psutil.Process(int((tmp_path / "output").read_text(encoding="utf-8")))
    assert orphan.is_running()
    end_tree(root, grace_seconds=1)
    orphan.wait(10)
    assert not orphan.is_running()


@pytest.mark.parametrize("noted", [True, False])
def test_what_an_agent_started_and_was_killed_before_it_let_it_run_is_let_run_by_the_next(noted: bool) -> None:
    mark = f"job/1/{int(noted)}"
    environment = {**psutil.Process().environ(), MARK: mark}
    suspended = psutil.Popen(
        [sys.executable, "-c", "exit(7)"],
        env=environment,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        creationflags=_SUSPENDED,
    )
    try:
        with pytest.raises(psutil.TimeoutExpired):
            suspended.wait(1)
        pid, create_time = (suspended.pid, suspended.create_time()) if noted else (None, None)
        assert find_again(pid, create_time, mark) == suspended
        assert suspended.wait(20) == 7
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            suspended.kill()


@pytest.mark.behaviour("B-52", "2.7 timeout")
def test_a_program_that_runs_too_long_is_ended(tmp_path: Path) -> None:
    root = _start(tmp_path, _SLEEPER)
    assert wait_within(root, 0.5).timed_out
    assert not root.is_running()


@pytest.mark.behaviour("B-53", "2.7 unmapped")
@pytest.mark.parametrize("code", [0, 3010, 1603, 0xC0000142])
def test_all_32_bits_of_an_exit_code_arrive(tmp_path: Path, code: int) -> None:
    process = _start(tmp_path, f"import ctypes; ctypes.windll.kernel32.ExitProcess({code})")
    assert wait_within(process, 20).exit_code == code
