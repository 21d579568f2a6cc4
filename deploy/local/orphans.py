"""Finding and ending every process of a stack, also those whose supervisor is gone."""

import os
from collections.abc import Iterable
from pathlib import Path

import psutil

from deploy.local.part import PART_VARIABLE, STACK_VARIABLE

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


def end_processes(folder: Path) -> int:
    """End all processes of the stack; returns how many there were.

    They are asked with SIGTERM first, except for the supervisor: it must not start again what is being ended.
    """
    ended = 0
    for _ in range(_ROUNDS):
        found = stack_processes(folder)
        if not found:
            break
        ended += len(found)
        _end(found)
    return ended


def _end(processes: Iterable[psutil.Process]) -> None:
    waited_for = []
    for process in processes:
        try:
            if _variable(process, PART_VARIABLE) == SUPERVISOR:
                process.kill()
            else:
                process.terminate()
            waited_for.append(process)
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(waited_for, timeout=_GRACE_SECONDS)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=_GRACE_SECONDS)


def _belongs(process: psutil.Process, folder: Path) -> bool:
    return _variable(process, STACK_VARIABLE) == str(folder)


def _variable(process: psutil.Process, name: str) -> str | None:
    """A variable of the environment the process was started with; None for other people's processes and zombies."""
    try:
        return process.environ().get(name)
    except (psutil.Error, OSError):
        return None
