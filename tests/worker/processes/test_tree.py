from pathlib import Path

import psutil

from deploy.local.polling import wait_until
from worker.processes.launch import Launch, launch
from worker.processes.tree import end_tree


def _start(folder: Path, script: str) -> psutil.Popen:
    return launch(Launch(["sh", "-c", script], folder, {"PATH": "/usr/bin:/bin"}, folder / "output"))


def _pids(folder: Path, count: int) -> list[int]:
    output = folder / "output"
    assert wait_until(lambda: output.exists() and len(output.read_text().split()) == count, seconds=10)
    return [int(pid) for pid in output.read_text().split()]


def _is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


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


def test_a_child_that_left_the_session_ends_too(tmp_path: Path) -> None:
    process = _start(tmp_path, "setsid sleep 60 & echo $!; wait")
    (runaway,) = _pids(tmp_path, 1)
    end_tree(process)
    assert _is_gone(runaway)


def test_what_does_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    process = _start(tmp_path, "trap '' TERM; echo $$; while true; do sleep 1; done")
    (stubborn,) = _pids(tmp_path, 1)
    end_tree(process, grace_seconds=0.3)
    assert _is_gone(stubborn)


def test_a_tree_that_has_ended_already_is_fine(tmp_path: Path) -> None:
    process = _start(tmp_path, "true")
    process.wait(10)
    end_tree(process)
