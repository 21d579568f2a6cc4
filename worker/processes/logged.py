"""Starting an installer whose output is kept, bounded, for as long as anybody writes to it."""

import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import psutil

from worker.processes import output_copier
from worker.processes.launch import Launch, creation_flags, forking, launch_writing_to

#: What is kept of the beginning of an installer's output, and of its end.
HEAD_BYTES = 1024 * 1024
TAIL_BYTES = 1024 * 1024
#: How long an ended installer's last words may take to reach the log.
_SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class Logged:
    """An installer, and the process that keeps its output."""

    process: psutil.Popen
    copier: subprocess.Popen[bytes]

    def settle(self) -> None:
        """Wait until all the installer printed is in its log.

        A service that the installer started may hold its output open for as long as it lives; then the log goes on.
        """
        try:
            self.copier.wait(_SETTLE_SECONDS)
        except subprocess.TimeoutExpired:
            threading.Thread(target=self.copier.wait, name="output copier", daemon=True).start()


def launch_logged(
    what: Launch, *, secrets: tuple[str, ...] = (), head_bytes: int = HEAD_BYTES, tail_bytes: int = TAIL_BYTES
) -> Logged:
    """Start an installer; its output and errors go to `what.output` together, in the order they are written.

    Args:
        what: The installer.
        secrets: Texts that are left out of its output, for as long as anybody writes to it.
        head_bytes: Kept of the beginning.
        tail_bytes: Kept of the end.

    Raises:
        OSError: It could not be started.
    """
    copier = _start_copier(what.output, head_bytes, tail_bytes)
    assert copier.stdin is not None  # noqa: S101  it was asked for as a pipe
    with copier.stdin as pipe:
        try:
            # Whole before the installer starts: its output comes behind it.
            pipe.write(output_copier.header(secrets))
            pipe.flush()
            process = launch_writing_to(what, pipe, pipe)
        except OSError:
            pipe.close()
            copier.wait()
            raise
    return Logged(process, copier)


def _start_copier(output: Path, head_bytes: int, tail_bytes: int) -> "subprocess.Popen[bytes]":
    with forking():
        return subprocess.Popen(
            output_copier.command(str(output), head_bytes=head_bytes, tail_bytes=tail_bytes),
            cwd=output.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            creationflags=creation_flags(),
        )
