"""`outrider status`: where the jobs are."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Final

import typer
from rich.console import Group as Lines
from rich.console import RenderableType

from control.cli.connection import connect
from control.cli.following import summaries
from control.cli.job_options import App, Device, Ended, Error, Group, Rollout, State, Target
from control.cli.options import STATUSES, Json
from control.cli.output import handled, print_json
from control.cli.printing import console, live, print_views
from control.cli.summary_view import more_line, summary_view
from control.cli.tables import status_view
from control.client.control_client import ControlClient
from control.views.job_selection import JobQuery
from control.views.status import JobSummary

status_app = typer.Typer()

#: Jobs that people are shown one by one unless they ask for more; `--json` has all.
_SHOWN_JOBS: Final = 50


@status_app.command("status", epilog=STATUSES)
def status(
    target: Target = None,
    *,
    app: App = None,
    group: Group = None,
    device: Device = None,
    rollout: Rollout = None,
    state: State = None,
    outcome: Ended = None,
    error: Error = None,
    summary: Annotated[bool, typer.Option("--summary", help="Only the numbers.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="Jobs to list.")] = _SHOWN_JOBS,
    watch: Annotated[bool, typer.Option("--watch", help="Follow until nothing is under way any more.")] = False,
    as_json: Json = False,
) -> None:
    """Show how many jobs are where, then the jobs one by one: what came of each, and what happens next.

    With --json it prints all jobs as one list; with --json and --summary the numbers as one object.

    Example: outrider status desks --watch
    """
    named = {"app": app, "group": group, "device": device, "rollout": rollout}
    query = JobQuery(target=target, state=state, outcome=outcome, error_code=error, **named)
    with handled(as_json=as_json), connect() as client:
        if as_json:
            _print_json(client, query, summary=summary, watch=watch)
        elif watch:
            _follow(client, query, 0 if summary else limit)
        else:
            console().print(_view(client, query, client.summary(query), 0 if summary else limit))


def _print_json(client: ControlClient, query: JobQuery, *, summary: bool, watch: bool) -> None:
    counted = _settled(client, query) if watch else None
    if summary:
        print_json((counted or client.summary(query)).model_dump(mode="json"))
    else:
        print_views(client.jobs(query))


def _settled(client: ControlClient, query: JobQuery) -> JobSummary:
    return next(counted for counted in summaries(client, query) if counted.is_settled)


def _follow(client: ControlClient, query: JobQuery, limit: int) -> None:
    with live() as shown:
        for counted in summaries(client, query):
            shown.update(_view(client, query, counted, limit), refresh=True)
            if counted.is_settled:
                return


def _view(client: ControlClient, query: JobQuery, counted: JobSummary, limit: int) -> RenderableType:
    now = datetime.now(UTC)
    if limit == 0:
        return summary_view(counted)
    jobs = list(islice(client.jobs(query), limit))
    return Lines(summary_view(counted), status_view(jobs, now), more_line(counted.jobs - len(jobs)))
