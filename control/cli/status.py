"""`outrider status`: where each job is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.live import Live

from contract.jobs import JobState
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import console, print_table, print_views
from control.cli.tables import status_view
from control.views.jobs import JobView

status_app = typer.Typer()

_WATCH_SECONDS = 1.0
_UNDER_WAY = frozenset({JobState.PLANNED, JobState.SENT, JobState.RUNNING})


@status_app.command("status", epilog=STATUSES)
def status(
    app: Annotated[str | None, typer.Option(help="Only this app.")] = None,
    group: Annotated[str | None, typer.Option(help="Only devices of this group.")] = None,
    device: Annotated[str | None, typer.Option(help="Only this device, by name or id.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow until nothing is under way any more.")] = False,
    as_json: Json = False,
) -> None:
    """Show where each job is, what came of it and what happens next.

    Example: outrider status --group desks --watch
    """
    with handled(as_json=as_json), connect() as client:

        def jobs() -> list[JobView]:
            return list(client.status(app=app, group=group, device=device))

        if watch and not as_json:
            _follow(jobs)
        elif as_json:
            print_views(_settled(jobs) if watch else jobs())
        else:
            print_table(status_view(jobs(), datetime.now(UTC)))


def _follow(jobs: Callable[[], list[JobView]]) -> None:
    with Live(console=console(), auto_refresh=False) as live:
        while True:
            now = jobs()
            live.update(status_view(now, datetime.now(UTC)), refresh=True)
            if not _is_under_way(now):
                return
            time.sleep(_WATCH_SECONDS)


def _settled(jobs: Callable[[], list[JobView]]) -> list[JobView]:
    while _is_under_way(now := jobs()):
        time.sleep(_WATCH_SECONDS)
    return now


def _is_under_way(jobs: list[JobView]) -> bool:
    return any(job.state in _UNDER_WAY for job in jobs)
