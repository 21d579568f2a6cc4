"""Restarting the machine: behind a port, and refused unless the agent's settings allow it."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import structlog

from worker.processes.launch import forking

_log = structlog.get_logger(__name__)

_SHUTDOWN = Path("/sbin/shutdown")
_SECONDS_PER_MINUTE = 60
_LIMIT_SECONDS = 30


def this_restarter(*, allowed: bool) -> "Restarter":
    """Whoever restarts this machine; nobody where the agent may not, or does not know how."""
    return ShutdownRestarter() if allowed and sys.platform != "win32" else RefusingRestarter()


class Restarter(Protocol):
    """Whoever restarts the machine."""

    def restart(self, *, in_seconds: float, message: str) -> bool:
        """Order a restart.

        Args:
            in_seconds: The countdown that everybody logged on sees.
            message: Why, for them to read.

        Returns:
            Whether the restart will come.
        """
        ...


class RefusingRestarter:
    """Restarts nothing: what agents have whose settings do not allow it."""

    def restart(self, *, in_seconds: float, message: str) -> bool:
        """See `Restarter.restart`."""
        del in_seconds
        _log.warning("a restart is due, and this agent may not make it (OUTRIDER_AGENT_MAY_RESTART)", why=message)
        return False


class ShutdownRestarter:
    """Linux and macOS: `shutdown -r`, which counts down by itself and tells all who are logged on.

    Args:
        program: The program.
    """

    def __init__(self, program: Path = _SHUTDOWN) -> None:
        self._program = program

    def restart(self, *, in_seconds: float, message: str) -> bool:
        """See `Restarter.restart`; the countdown is rounded up to whole minutes."""
        minutes = max(1, math.ceil(in_seconds / _SECONDS_PER_MINUTE))
        command = [str(self._program), "-r", f"+{minutes}", message]
        try:
            with forking():
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            refused = process.wait(_LIMIT_SECONDS) != 0
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.error("the restart could not be ordered", error=str(error))
            return False
        if refused:
            _log.error("the system refused to restart", exit_code=process.returncode)
        return not refused
