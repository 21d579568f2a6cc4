"""`outrider-agent logs`."""

import json
import time
from collections.abc import Callable
from typing import Annotated, Final

import typer

from contract.clock import SystemClock
from contract.phases import Phase
from worker.cli.options import AsJson, StateDir, enrolled_folders
from worker.cli.output import handled
from worker.folders import Folders
from worker.logs.files import JSON_FILE
from worker.logs.level import LogLevel
from worker.logs.reading import events
from worker.logs.selection import Selection, since
from worker.logs.short import short_line

#: How often `--follow` looks for more.
_LOOK_SECONDS: Final = 0.5


def logs(
    *,
    app: Annotated[str, typer.Option(help="Of one app only, by id or name.")] = "",
    job: Annotated[str, typer.Option(help="Of one job only.")] = "",
    phase: Annotated[Phase | None, typer.Option(help="Of one phase only.", show_default=False)] = None,
    level: Annotated[LogLevel | None, typer.Option(help="At least so grave.", show_default=False)] = None,
    since_: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Not older than 90s, 10m, 2h, 3d, or an ISO date or time.")
    ] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what the agent logged, the oldest first, from all files that are kept.

    \b
    Examples:
      outrider-agent logs --since 2h --level warning
      outrider-agent logs --app 7-zip --phase install --json
      outrider-agent logs --follow

    \b
    Exit status: 0 shown; 2 not enrolled, or a wrong argument; 130 ended by Ctrl-C.
    """  # noqa: D301  click keeps the lines of a paragraph that begins so
    with handled(as_json=as_json):
        folders = enrolled_folders(state_dir)
        moment = since(since_, SystemClock().now()) if since_ else None
        selection = Selection(app=app, job=job, phase=phase, level=level, since=moment)
        _print_all(folders, selection, _wait if follow else _no_more, as_json=as_json)


def _print_all(folders: Folders, selection: Selection, more: Callable[[], bool], *, as_json: bool) -> None:
    for event in events(folders.logs / JSON_FILE, more=more):
        if selection.takes(event):
            typer.echo(json.dumps(event, ensure_ascii=False) if as_json else short_line(event))


def _wait() -> bool:
    time.sleep(_LOOK_SECONDS)
    return True


def _no_more() -> bool:
    return False
