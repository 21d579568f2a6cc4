from pathlib import Path

import psutil
import pytest

from deploy.local.polling import wait_until
from worker.processes.launch import Launch, launch
from worker.processes.mark import MARK, marked
from worker.processes.tree import end_tree


def _start(folder: Path, script: str) -> psutil.Popen:
    environment = {"PATH": "/usr/bin:/bin", MARK: str(folder)}
    return launch(Launch(["sh", "-c", script], folder, environment, folder / "output"))


def _pids(folder: Path, count: int) -> list[int]:
    output = folder / "output"
    assert wait_until(lambda: output.exists() and len(output.read_text().split()) == count, seconds=10)
    return [int(pid) for pid in output.read_text().split()]


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.behaviour("2.7 timeout")
def test_children_and_grandchildren_end_too(tmp_path: Path) -> None:
    process = _start(tmp_path, "sh -c 'sleep 60 & echo $!; wait' & sleep 60 & echo $!; wait")
    pids = _pids(tmp_path, 2)
    end_tree(process)
    assert all(_is_gone(pid) for pid in [process.pid, *pids])


def test_an_orphan_of_the_same_group_ends_too(tmp_path: Path) -> None:
    process = _start(tmp_path, "(sleep 60 & echo $!); sleep 60")
    (orphan,) = _pids(tmp_path, 1)
    end_tree(process)
    assert _is_gone(orphan)


@pytest.mark.behaviour("2.7 timeout")
def test_a_child_that_left_the_session_ends_too(tmp_path: Path) -> None:
    process = _start(tmp_path, "setsid sleep 60 & echo $!; wait")
    (runaway,) = _pids(tmp_path, 1)
    end_tree(process)
    assert _is_gone(runaway)


@pytest.mark.behaviour("B-52")
def test_a_daemon_that_left_session_and_family_ends_too(tmp_path: Path) -> None:
    process = _start(tmp_path, "(setsid sh -c 'sleep 60 & echo $!; wait' &) ; sleep 60")
    (runaway,) = _pids(tmp_path, 1)
    assert wait_until(lambda: psutil.Process(runaway).parent() not in process.children(recursive=True), seconds=10)
    end_tree(process, mark=str(tmp_path))
    assert _is_gone(runaway)
    assert marked(str(tmp_path)) == []


def test_what_starts_processes_while_it_is_ended_ends_too(tmp_path: Path) -> None:
    script = "trap '' TERM; while true; do setsid sleep 60 & echo x; sleep 0.02; done"
    process = _start(tmp_path, script)
    assert wait_until(lambda: (tmp_path / "output").exists() and (tmp_path / "output").stat().st_size > 0, seconds=10)
    end_tree(process, mark=str(tmp_path), grace_seconds=0.2)
    assert marked(str(tmp_path)) == []


def test_what_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    process = _start(tmp_path, "trap '' TERM; echo $$; while true; do sleep 1; done")
    (stubborn,) = _pids(tmp_path, 1)
    end_tree(process, grace_seconds=0.3)
    assert _is_gone(stubborn)


def test_a_tree_that_has_ended_already_is_fine(tmp_path: Path) -> None:
    process = _start(tmp_path, "true")
    process.wait(10)
    end_tree(process)
