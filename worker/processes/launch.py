"""Starting a program so that it outlives the agent."""

import contextlib
import errno
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from worker.processes.account import Account

#: Another process's fork may hold a file open that was just unpacked; it lets go within moments (ETXTBSY).
_BUSY_TRIES = 50
_BUSY_WAIT_SECONDS = 0.02
#: What the agent keeps is closed to others; what installers make is for everybody, unless they say otherwise.
_USUAL_UMASK = 0o022
#: A child between its fork and its exec holds every file that any thread has open for writing. Whoever starts a
#: program waits until no such child is left: so no file that was written and closed is busy any more, neither for the
#: program nor for what it starts.
_FORKING = threading.Lock()
#: CREATE_SUSPENDED, which `subprocess` does not name.
_SUSPENDED = 0x4 if sys.platform == "win32" else 0


@dataclass(frozen=True)
class Launch:
    """What to start, where, and with what.

    Attributes:
        command: The program and its arguments; on Windows also a command line as typed.
        folder: Its working folder.
        output: The file that takes its standard output.
        errors: The file that takes its standard error; the same as `output` where None.
        account: Under whose name it runs; the agent's own where None.
    """

    command: Sequence[str] | str
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    output: Path
    errors: Path | None = None
    account: Account | None = None


def launch(what: Launch) -> psutil.Popen:
    """Start a program in a session of its own, writing to files: it lives on when the agent is killed.

    Raises:
        OSError: It could not be started.
    """
    with what.output.open("ab") as output, (what.errors or what.output).open("ab") as errors:
        return launch_writing_to(what, output, errors)


def launch_writing_to(what: Launch, output: IO[bytes], errors: IO[bytes]) -> psutil.Popen:
    """Start a program that writes to open files.

    Raises:
        OSError: It could not be started.
    """
    for _ in range(_BUSY_TRIES):
        try:
            return _start(what, output, errors)
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
            time.sleep(_BUSY_WAIT_SECONDS)
    return _start(what, output, errors)


@contextlib.contextmanager
def forking() -> Iterator[None]:
    """Held by whoever starts a process, from the fork to the exec."""
    with _FORKING:
        yield


def _start(what: Launch, output: IO[bytes], errors: IO[bytes]) -> psutil.Popen:
    with forking():
        process = psutil.Popen(
            what.command,
            cwd=what.folder,
            env=dict(what.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            umask=_USUAL_UMASK,
            creationflags=creation_flags() | _SUSPENDED,
            **_identity(what.account),
        )
    _let_run(process)
    return process


def _let_run(process: psutil.Popen) -> None:
    """On Windows a program starts suspended, so that all it starts is in its job."""
    if sys.platform == "win32":
        from worker.processes.windows_job import contain  # noqa: PLC0415  it can be loaded on Windows only

        contain(process)


def creation_flags() -> int:
    """No window, and a group of its own, where the system asks for that in numbers."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def _identity(account: Account | None) -> dict[str, Any]:
    if account is None or account.is_own:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": list(account.groups)}
