"""`outrider-agent service`: the agent as a Windows service."""

import sys

assert sys.platform == "win32"

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pywintypes
import typer
import win32service
import win32serviceutil

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from worker.cli.output import handled
from worker.platform.windows_service import NAME, AgentService

service_app = typer.Typer(no_args_is_help=True, help="The agent as a Windows service; needs an administrator.")

#: What the service manager does when the service fails: start it again, the first time soon.
_RESTARTS: Final = [(win32service.SC_ACTION_RESTART, delay) for delay in (10_000, 60_000, 60_000)]
#: Without a failure for this long the next one counts as the first.
_FORGET_SECONDS: Final = 3600
_START_SECONDS: Final = 30
#: The agent's own limit for the phase in progress is shorter (OUTRIDER_AGENT_STOP_LIMIT_SECONDS).
_STOP_SECONDS: Final = 660


@service_app.command()
def install() -> None:
    """Register the service: it starts with Windows, as LocalSystem, and is started again when it fails."""
    with _handled(), _manager(win32service.SC_MANAGER_CREATE_SERVICE) as manager:
        service = win32service.CreateService(
            manager,
            NAME,
            AgentService._svc_display_name_,
            win32service.SERVICE_ALL_ACCESS,
            win32service.SERVICE_WIN32_OWN_PROCESS,
            win32service.SERVICE_AUTO_START,
            win32service.SERVICE_ERROR_NORMAL,
            f'"{sys.executable}" -m {AgentService.__module__}',
            None,
            False,
            None,
            None,
            None,
        )
        try:
            _describe(service)
        finally:
            win32service.CloseServiceHandle(service)
    typer.echo(f"The service {NAME} is registered. Start it with `outrider-agent service start`.")


@service_app.command()
def remove() -> None:
    """Take the service away; what the agent knows stays."""
    with _handled():
        win32serviceutil.RemoveService(NAME)
    typer.echo(f"The service {NAME} is gone.")


@service_app.command()
def start() -> None:
    """Start the service and wait until it runs."""
    with _handled():
        win32serviceutil.StartService(NAME)
        win32serviceutil.WaitForServiceStatus(NAME, win32service.SERVICE_RUNNING, _START_SECONDS)
    typer.echo(f"The service {NAME} runs.")


@service_app.command()
def stop() -> None:
    """Stop the service; the phase in progress is finished first."""
    with _handled():
        win32serviceutil.StopService(NAME)
        win32serviceutil.WaitForServiceStatus(NAME, win32service.SERVICE_STOPPED, _STOP_SECONDS)
    typer.echo(f"The service {NAME} has stopped.")


@contextmanager
def _handled() -> Iterator[None]:
    with handled():
        try:
            yield
        except pywintypes.error as error:
            raise OutriderError(ErrorCode.CLIENT_ERROR, place=f"service {NAME}", detail=error.strerror) from error


@contextmanager
def _manager(access: int) -> Iterator[Any]:
    manager = win32service.OpenSCManager(None, None, access)
    try:
        yield manager
    finally:
        win32service.CloseServiceHandle(manager)


def _describe(service: Any) -> None:
    description = AgentService._svc_description_
    win32service.ChangeServiceConfig2(service, win32service.SERVICE_CONFIG_DESCRIPTION, description)
    actions = {"ResetPeriod": _FORGET_SECONDS, "RebootMsg": "", "Command": "", "Actions": _RESTARTS}
    win32service.ChangeServiceConfig2(service, win32service.SERVICE_CONFIG_FAILURE_ACTIONS, actions)
