"""Starting a program so that it outlives the agent."""

import errno
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Another thread's fork may hold a file open that was just unpacked; it lets go within moments (ETXTBSY).
_BUSY_TRIES = 50
_BUSY_WAIT_SECONDS = 0.02


@dataclass(frozen=True)
class Launch:
    """What to start, where, and with what.

    Attributes:
        command: The program and its arguments; on Windows also a command line as typed.
        folder: Its working folder.
        output: The file that takes its standard output.
        errors: The file that takes its standard error; the same as `output` where None.
    """

    command: Sequence[str] | str
    folder: Path
    environment: Mapping[str, str]
    output: Path
    errors: Path | None = None


def launch(what: Launch) -> psutil.Popen:
    """Start a program in a session of its own, writing to files: it lives on when the agent is killed.

    Raises:
        OSError: It could not be started.
    """
    for _ in range(_BUSY_TRIES):
        try:
            return _start(what)
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
            time.sleep(_BUSY_WAIT_SECONDS)
    return _start(what)


def _start(what: Launch) -> psutil.Popen:
    with what.output.open("ab") as output, (what.errors or what.output).open("ab") as errors:
        return psutil.Popen(
            what.command,
            cwd=what.folder,
            env=dict(what.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            creationflags=_creation_flags(),
        )


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0
