"""Finding and ending every process of a stack, also those whose supervisor is gone."""

import os
import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.local.part import PART_VARIABLE, STACK_VARIABLE
from deploy.local.polling import wait_until

#: The part name the supervisor itself carries.
SUPERVISOR = "supervisor"
_ROUNDS = 5
_GRACE_SECONDS = 5.0


def stack_processes(folder: Path) -> list[psutil.Process]:
    """All living processes that name this stack's folder in their environment, the supervisor first.

    The caller and what it descends from are left out, even when they were started by the stack.
    """
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if process.pid not in own and _belongs(process, folder)]
    return sorted(found, key=lambda process: _variable(process, PART_VARIABLE) != SUPERVISOR)


def end_processes(folder: Path) -> None:
    """End all processes of the stack.

    They are asked with SIGTERM first, except for the supervisor: it must not start again what is being ended.
    """
    for _ in range(_ROUNDS):
        found = stack_processes(folder)
        if not found:
            break
        _end(found)


def has_ended(pid: int) -> bool:
    """Whether there is no such process any more, or only its entry waiting for a parent that does not look."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _end(processes: Collection[psutil.Process]) -> None:
    for process in processes:
        is_supervisor = _variable(process, PART_VARIABLE) == SUPERVISOR
        _signal(process, signal.SIGKILL if is_supervisor else signal.SIGTERM)
    if not _wait(processes):
        for process in processes:
            _signal(process, signal.SIGKILL)
        _wait(processes)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _wait(processes: Collection[psutil.Process]) -> bool:
    return wait_until(lambda: all(has_ended(process.pid) for process in processes), seconds=_GRACE_SECONDS)


def _belongs(process: psutil.Process, folder: Path) -> bool:
    return _variable(process, STACK_VARIABLE) == str(folder)


def _variable(process: psutil.Process, name: str) -> str | None:
    """A variable of the environment the process was started with; None for other people's processes and zombies."""
    try:
        return process.environ().get(name)
    except (psutil.Error, OSError):
        return None
