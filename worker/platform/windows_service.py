"""The agent as a Windows service; the service manager runs `python -m worker.platform.windows_service`.

The service is a small process that starts `outrider-agent run` and tells it to stop, so that an agent that ends,
however it ends, never leaves a service that seems to run.
"""

import sys

assert sys.platform == "win32"

import os
import subprocess
from typing import Final

import servicemanager
import win32event
import win32security
import win32service
import win32serviceutil

from worker.platform.windows_stop import VARIABLE

NAME: Final = "OutriderAgent"
#: How much longer than the agent's own limit the service manager is asked to wait.
_STOP_HINT_MILLISECONDS: Final = 20_000
_SERVICE_FAILED: Final = 1066  # ERROR_SERVICE_SPECIFIC_ERROR


class StopEvent:
    """An event that the agent inherits; once set, the agent stops."""

    def __init__(self) -> None:
        inheritable = win32security.SECURITY_ATTRIBUTES()
        inheritable.bInheritHandle = True
        self.handle = win32event.CreateEvent(inheritable, True, False, None)
        self.is_set = False

    def set(self) -> None:
        """Tell the agent."""
        self.is_set = True
        win32event.SetEvent(self.handle)


def start_agent(stop: StopEvent) -> "subprocess.Popen[bytes]":
    """Start `outrider-agent run` so that it stops once the event is set."""
    handle = int(stop.handle)
    return subprocess.Popen(
        [sys.executable, "-m", "worker.cli.main", "run"],
        env={**os.environ, VARIABLE: str(handle)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=subprocess.CREATE_NO_WINDOW,
        startupinfo=subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]}),
    )


class AgentService(win32serviceutil.ServiceFramework):
    """What the service manager talks to."""

    _svc_name_ = NAME
    _svc_display_name_ = "Outrider agent"
    _svc_description_ = "Installs and removes the apps that this device is assigned."

    def __init__(self, args: list[str]) -> None:
        super().__init__(args)
        self._stop = StopEvent()

    def SvcStop(self) -> None:  # noqa: N802  the framework's name
        """Told to stop, or the machine shuts down."""
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, waitHint=_STOP_HINT_MILLISECONDS)
        self._stop.set()

    SvcShutdown = SvcStop

    def SvcDoRun(self) -> None:  # noqa: N802  the framework's name
        """Run until the agent has ended; an end that nobody asked for is a failure, and the manager starts it again."""
        start_agent(self._stop).wait()
        if not self._stop.is_set:
            os._exit(_SERVICE_FAILED)


def main() -> None:
    """What the service manager starts."""
    servicemanager.Initialize()
    servicemanager.PrepareToHostSingle(AgentService)
    servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call]  # so the stubs have it


if __name__ == "__main__":
    main()
