"""Ending a program together with everything it started."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable

import psutil

#: From asking the processes to end to ending them.
GRACE_SECONDS = 5.0


def end_tree(root: psutil.Process, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """End a process that leads its own session, its group and all its descendants: asked first, then killed."""
    members = _members(root)
    _signal_group(root.pid, signal.SIGTERM)
    _each(members, "terminate")
    psutil.wait_procs(members, timeout=grace_seconds)
    # What was started meanwhile is killed, too.
    members = list({*members, *_members(root)})
    if sys.platform != "win32":
        _signal_group(root.pid, signal.SIGKILL)
    _each(members, "kill")
    psutil.wait_procs(members, timeout=grace_seconds)


def _members(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return [root]


def _signal_group(group: int, number: signal.Signals) -> None:
    if sys.platform == "win32":
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _each(processes: Iterable[psutil.Process], what: str) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            getattr(process, what)()
