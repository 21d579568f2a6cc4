"""An installer process: found again after a restart of the agent, waited for, ended."""

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from worker.processes.mark import marked
from worker.processes.tree import end_tree

#: Two readings of one process's creation time differ by less than this.
_CREATE_TIME_TOLERANCE_SECONDS = 1.0
_EXIT_CODE_BITS = 0xFFFF_FFFF
#: An operator's order to stop is looked for so often while an installer runs.
_STOP_CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class Ended:
    """How a watched process ended.

    Attributes:
        exit_code: None where nobody could see it: the process was another agent's child.
        timed_out: It ran longer than allowed and was ended with all its processes.
        stopped: An operator stopped it, and it was ended with all its processes.
    """

    exit_code: int | None
    timed_out: bool = False
    stopped: bool = False


def wait_within(
    process: psutil.Process,
    limit_seconds: float,
    mark: str = "",
    is_stopped: Callable[[], bool] = lambda: False,
) -> Ended:
    """Wait for a process; one that runs longer than allowed, or is stopped, is ended with its whole tree.

    Args:
        process: A child of this agent, or a process found again.
        limit_seconds: What is left of its time.
        mark: The value of its `MARK` variable.
        is_stopped: Asked every second whether to stop it.
    """
    ends_at = time.monotonic() + limit_seconds
    while (left := ends_at - time.monotonic()) > 0:
        with contextlib.suppress(psutil.TimeoutExpired):
            return Ended(_whole(process.wait(min(left, _STOP_CHECK_SECONDS))))
        if is_stopped():
            end_tree(process, mark=mark)
            return Ended(exit_code=None, stopped=True)
    end_tree(process, mark=mark)
    return Ended(exit_code=None, timed_out=True)


def _whole(exit_code: int | None) -> int | None:
    """All 32 bits of an exit code of Windows, which psutil takes for a signed number."""
    if sys.platform == "win32" and exit_code is not None:
        return exit_code & _EXIT_CODE_BITS
    return exit_code


def find_again(pid: int | None, create_time: float | None, mark: str) -> psutil.Process | None:
    """The process of an installer that an earlier agent started; None where it has ended.

    On Windows it may have started it and not let it run any more: then it runs from now on.

    Args:
        pid: As noted when it started; None where the agent ended before it could.
        create_time: As noted with the pid: another process may have the pid by now.
        mark: The value of its `MARK` variable, looked for where no pid was noted.
    """
    found = next(iter(marked(mark)), None) if pid is None else _known(pid, create_time or 0.0)
    with contextlib.suppress(psutil.NoSuchProcess):
        if found is not None and found.status() != psutil.STATUS_ZOMBIE:
            _let_run(found)
            return found
    return None


def _let_run(process: psutil.Process) -> None:
    # What has not begun has one thread; resuming one that runs changes nothing. Among several threads there may be one
    # that the installer itself holds back.
    if sys.platform == "win32" and len(process.threads()) == 1:
        with contextlib.suppress(psutil.AccessDenied):
            process.resume()


def _known(pid: int, create_time: float) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if abs(process.create_time() - create_time) < _CREATE_TIME_TOLERANCE_SECONDS:
            return process
    return None
