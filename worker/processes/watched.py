"""An installer process: started, found again after a restart of the agent, waited for, ended."""

import contextlib
from dataclasses import dataclass

import psutil

from worker.processes.tree import end_tree

#: The environment variable that marks an installer and all it starts; its value names the attempt.
MARK = "OUTRIDER_INSTALLER"
#: Two readings of one process's creation time differ by less than this.
_CREATE_TIME_TOLERANCE_SECONDS = 1.0


@dataclass(frozen=True)
class Ended:
    """How a watched process ended.

    Attributes:
        exit_code: None where nobody could see it: the process was another agent's child.
        timed_out: It ran longer than allowed and was ended with all its processes.
    """

    exit_code: int | None
    timed_out: bool = False


def wait_within(process: psutil.Process, limit_seconds: float) -> Ended:
    """Wait for a process; one that runs longer than allowed is ended with its whole tree.

    Args:
        process: A child of this agent, or a process found again.
        limit_seconds: What is left of its time.
    """
    try:
        exit_code = process.wait(limit_seconds)
    except psutil.TimeoutExpired:
        end_tree(process)
        return Ended(exit_code=None, timed_out=True)
    return Ended(exit_code)


def find_again(pid: int | None, create_time: float | None, mark: str) -> psutil.Process | None:
    """The process of an installer that an earlier agent started; None where it has ended.

    Args:
        pid: As noted when it started; None where the agent ended before it could.
        create_time: As noted with the pid: another process may have the pid by now.
        mark: The value of its `MARK` variable, looked for where no pid was noted.
    """
    found = _marked(mark) if pid is None else _known(pid, create_time or 0.0)
    with contextlib.suppress(psutil.NoSuchProcess):
        if found is not None and found.status() != psutil.STATUS_ZOMBIE:
            return found
    return None


def _known(pid: int, create_time: float) -> psutil.Process | None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        if abs(process.create_time() - create_time) < _CREATE_TIME_TOLERANCE_SECONDS:
            return process
    return None


def _marked(mark: str) -> psutil.Process | None:
    marked = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                marked.append((process.create_time(), process.pid, process))
    # The oldest is the installer itself; what it started carries its mark, too.
    return min(marked)[2] if marked else None
