"""The variable that marks an installer and all it starts, however far from it they go."""

import contextlib

import psutil

#: The environment variable; its value names the attempt.
MARK = "OUTRIDER_INSTALLER"


def marked(mark: str) -> list[psutil.Process]:
    """All processes that carry a mark, the oldest first: that is the installer itself, or what is left of it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append((process.create_time(), process.pid, process))
    return [process for _, _, process in sorted(found)]
