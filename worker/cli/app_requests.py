"""`outrider-agent install` and `outrider-agent uninstall`."""

import time
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from contract.available_apps import AppRequest, AppRequestKind, AppStanding, AvailableApp
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, UnavailableError
from contract.exit_statuses import ExitStatus
from worker.cli.apps import uplink_of
from worker.cli.available import app_facts, app_text
from worker.cli.options import AsJson, StateDir
from worker.cli.output import handled, show
from worker.settings import load_settings
from worker.uplink.port import Uplink

#: Between two looks at how an app stands.
_INTERVAL_SECONDS: Final = 5.0

_DONE: Final = {
    AppRequestKind.INSTALL: AppStanding.INSTALLED,
    AppRequestKind.UNINSTALL: AppStanding.NOT_INSTALLED,
}
_ENDED_BADLY: Final = frozenset({AppStanding.FAILED, AppStanding.NOT_APPLICABLE, AppStanding.CANCELLED})

App = Annotated[str, typer.Argument(help="The app's name or id, as `outrider-agent apps` shows it.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow until it is done or has failed.")]
Timeout = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="With --wait: how long at most.")]


def install(
    app: App, *, wait: Wait = False, timeout: Timeout = 3600, state_dir: StateDir = None, as_json: AsJson = False
) -> None:
    """Ask for an app that this device is offered; where it failed before, it is tried at once.

    \b
    Examples:
      outrider-agent install 7-zip
      outrider-agent install 7-zip --wait --timeout 600

    \b
    Exit status: 0 asked for, or with --wait installed; 2 not enrolled, or the device is not offered such an app; 3 the
    control plane does not answer; 4 it refuses this device; with --wait 5 not in time, 6 it has failed.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        uplink = uplink_of(load_settings(state_dir))
        _ask(uplink, _request(app, AppRequestKind.INSTALL), timeout if wait else None, as_json=as_json)


def uninstall(
    app: App, *, wait: Wait = False, timeout: Timeout = 3600, state_dir: StateDir = None, as_json: AsJson = False
) -> None:
    """Have an app uninstalled that was installed because somebody at this device asked for it.

    \b
    Examples:
      outrider-agent uninstall 7-zip
      outrider-agent uninstall 7-zip --wait

    \b
    Exit status: 0 asked for, or with --wait gone; 2 not enrolled, or it was not asked for or is not offered; 3 the
    control plane does not answer; 4 it refuses this device; with --wait 5 not in time, 6 it has failed.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        uplink = uplink_of(load_settings(state_dir))
        _ask(uplink, _request(app, AppRequestKind.UNINSTALL), timeout if wait else None, as_json=as_json)


def _request(app: str, kind: AppRequestKind) -> AppRequest:
    """The request in the contract's words.

    Raises:
        NotFoundError: No app can have this name.
    """
    try:
        return AppRequest(app=app, kind=kind)
    except ValidationError as error:
        raise NotFoundError(ErrorCode.APP_NOT_AVAILABLE, detail=error.errors()[0]["msg"], place=app) from error


def _ask(uplink: Uplink, request: AppRequest, timeout: float | None, *, as_json: bool) -> None:
    app = uplink.request_app(request).app
    if timeout is not None:
        app = _follow(uplink, app, request.kind, timeout)
    show(app_facts(app), app_text(app), as_json=as_json)
    if timeout is not None and app.standing is not _DONE[request.kind]:
        raise typer.Exit(ExitStatus.ENDED_BADLY if app.standing in _ENDED_BADLY else ExitStatus.TIMED_OUT)


def _follow(uplink: Uplink, app: AvailableApp, kind: AppRequestKind, timeout: float) -> AvailableApp:
    """How the app stands when it is done, has failed, or the time is over."""
    deadline = time.monotonic() + timeout
    while app.standing not in {_DONE[kind], *_ENDED_BADLY} and (left := deadline - time.monotonic()) > 0:
        time.sleep(min(_INTERVAL_SECONDS, left))
        app = _look(uplink, app)
    return app


def _look(uplink: Uplink, app: AvailableApp) -> AvailableApp:
    try:
        return uplink.available_apps(app=app.app_id).apps[0]
    except UnavailableError:
        # It may answer later, and the app goes on meanwhile.
        return app
