"""Finding and ending what belongs to a stack, and nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.orphans import SUPERVISOR, end_processes, has_ended, stack_processes
from deploy.local.part import PART_VARIABLE, STACK_VARIABLE
from deploy.local.polling import wait_until

pytestmark = pytest.mark.integration

WAITS = "import signal; print('up', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts processes that say they are up, and ends what a test leaves of them."""
    started: list[subprocess.Popen[bytes]] = []

    def one(program: str, **environment: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-c", program], env={**os.environ, **environment}, stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        return process

    yield one
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_only_the_processes_of_this_very_stack_are_found(start: Start, tmp_path: Path) -> None:
    mine = start(WAITS, **{STACK_VARIABLE: str(tmp_path / "one")})
    start(WAITS, **{STACK_VARIABLE: str(tmp_path / "one-more")})
    start(WAITS)
    assert [process.pid for process in stack_processes(tmp_path / "one")] == [mine.pid]


def test_the_supervisor_comes_first_so_that_it_starts_nothing_again(start: Start, tmp_path: Path) -> None:
    for part in ("a", SUPERVISOR, "z"):
        start(WAITS, **{STACK_VARIABLE: str(tmp_path), PART_VARIABLE: part})
    assert stack_processes(tmp_path)[0].environ()[PART_VARIABLE] == SUPERVISOR


def test_the_caller_is_spared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from deploy.local.orphans import end_processes
end_processes(Path({str(tmp_path)!r}))
print("alive")
"""
    environment = {**os.environ, STACK_VARIABLE: str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "alive\n"


def test_ending_waits_until_they_are_gone(start: Start, tmp_path: Path) -> None:
    ones = [start(WAITS, **{STACK_VARIABLE: str(tmp_path)}) for _ in range(3)]
    end_processes(tmp_path)
    assert stack_processes(tmp_path) == []
    assert all(has_ended(one.pid) for one in ones)


def test_a_process_deaf_to_asking_is_killed(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.local.orphans._GRACE_SECONDS", 0.3)
    deaf = start(DEAF, **{STACK_VARIABLE: str(tmp_path)})
    end_processes(tmp_path)
    assert has_ended(deaf.pid)


def test_a_zombie_counts_as_ended(start: Start) -> None:
    process = start(WAITS)
    assert not has_ended(process.pid)
    process.kill()
    assert wait_until(lambda: has_ended(process.pid), seconds=20)
    process.wait()
    assert has_ended(process.pid)


def test_waiting_gives_up_in_time_and_asks_at_once() -> None:
    began = time.monotonic()
    assert not wait_until(lambda: False, seconds=0.1)
    assert 0.1 <= time.monotonic() - began < 20
    assert wait_until(lambda: True, seconds=0)
