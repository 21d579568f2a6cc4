"""Ending a program together with everything it started."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable

import psutil

from worker.processes.mark import marked

#: From asking the processes to end to ending them.
GRACE_SECONDS = 5.0
#: What starts processes as fast as they are ended is looked for this often.
_ROUNDS = 5


def end_tree(root: psutil.Process, *, mark: str = "", grace_seconds: float = GRACE_SECONDS) -> None:
    """End a process that leads its own session, its group and all its descendants: asked first, then killed.

    Args:
        root: The process.
        mark: What all it started carries in its environment: it finds those, too, that left the session and whose
            parents have ended. Empty where it has none.
        grace_seconds: From asking to killing.
    """
    members = _members(root, mark)
    _end_job(root)
    _signal_group(root.pid, signal.SIGTERM)
    _each(members, "terminate")
    psutil.wait_procs(members, timeout=grace_seconds)
    for _ in range(_ROUNDS):
        # What was started meanwhile is killed, too.
        members = list({*members, *_members(root, mark)})
        if sys.platform != "win32":
            _signal_group(root.pid, signal.SIGKILL)
        _each(members, "kill")
        psutil.wait_procs(members, timeout=grace_seconds)
        if not mark or not marked(mark):
            return


def _members(root: psutil.Process, mark: str) -> list[psutil.Process]:
    strays = marked(mark) if mark else []
    try:
        # Of equal ones the first stays: a child is to be waited for by the very object that started it.
        return list({root, *root.children(recursive=True), *strays})
    except psutil.NoSuchProcess:
        return [root, *strays]


def _end_job(root: psutil.Process) -> None:
    if sys.platform == "win32":
        from worker.processes.windows_job import end_job  # noqa: PLC0415  it can be loaded on Windows only

        end_job(root)


def _signal_group(group: int, number: signal.Signals) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _each(processes: Iterable[psutil.Process], what: str) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            getattr(process, what)()
