from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy.local.polling import wait_until
from worker.processes.launch import Launch, launch
from worker.processes.mark import MARK
from worker.processes.tree import end_tree
from worker.processes.watched import Ended, find_again, wait_within


@contextmanager
def _running(folder: Path, *, mark: str) -> Iterator[psutil.Popen]:
    environment = {"PATH": "/usr/bin:/bin", MARK: mark}
    process = launch(Launch(["sh", "-c", "sleep 60 & wait"], folder, environment, folder / "output"))
    try:
        yield process
    finally:
        if process.poll() is None:
            end_tree(process, grace_seconds=1)
            process.wait(10)


def test_the_exit_code_of_an_own_child_is_seen(tmp_path: Path) -> None:
    process = launch(Launch(["sh", "-c", "exit 73"], tmp_path, {"PATH": "/usr/bin:/bin"}, tmp_path / "output"))
    assert wait_within(process, 10) == Ended(73)


@pytest.mark.behaviour("B-52", "2.7 timeout")
def test_a_process_that_runs_too_long_is_ended(tmp_path: Path) -> None:
    with _running(tmp_path, mark="a") as process:
        assert wait_within(process, 0.1) == Ended(None, timed_out=True)
        assert not process.is_running()


def test_a_running_process_is_found_again_by_pid_and_creation_time(tmp_path: Path) -> None:
    with _running(tmp_path, mark="b") as process:
        found = find_again(process.pid, process.create_time(), "b")
        assert found is not None
        assert found.pid == process.pid


def test_another_process_with_the_same_pid_is_not_taken_for_it(tmp_path: Path) -> None:
    with _running(tmp_path, mark="c") as process:
        assert find_again(process.pid, process.create_time() - 100, "c") is None


def test_a_process_whose_pid_was_never_noted_is_found_by_its_mark(tmp_path: Path) -> None:
    with _running(tmp_path, mark="job/1/1") as process:
        found = find_again(None, None, "job/1/1")
        assert found is not None
        assert found.pid == process.pid
        assert find_again(None, None, "job/1/2") is None


def test_a_process_that_has_ended_is_not_found(tmp_path: Path) -> None:
    with _running(tmp_path, mark="d") as process:
        pid, created = process.pid, process.create_time()
    assert find_again(pid, created, "d") is None


def test_a_zombie_counts_as_ended(tmp_path: Path) -> None:
    process = launch(Launch(["true"], tmp_path, {"PATH": "/usr/bin:/bin"}, tmp_path / "output"))
    created = process.create_time()
    assert wait_until(lambda: process.status() == psutil.STATUS_ZOMBIE, seconds=10)
    assert find_again(process.pid, created, "e") is None
    process.wait(10)
