"""`outrider retry` and `outrider cancel`: step in, for one job or many."""

from collections.abc import Callable
from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_table, print_views
from control.cli.tables import steering_table
from control.client.control_client import ControlClient
from control.steering.decisions import Change
from control.views.steering import BulkSteeringRequest, JobSelection, SteeringReply, SteeringRequest

steer_app = typer.Typer()

Job = Annotated[str | None, typer.Argument(help="The job's id, as `outrider device show` prints it.")]
App = Annotated[str | None, typer.Option("--app", "-a", help="The newest jobs of this app.")]
Device = Annotated[str | None, typer.Option("--device", "-d", help="The newest jobs of this device, by name or id.")]
Group = Annotated[str | None, typer.Option("--group", "-g", help="The newest jobs of this group's devices.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would come of it.")]

_WORDS = {
    Change.RESENT: "sent anew",
    Change.CANCELLED: "cancelled",
    Change.CANCELLING: "being cancelled",
    Change.UNCHANGED: "unchanged",
    Change.REFUSED: "refused",
}


@steer_app.command("retry", epilog=STATUSES)
def retry(
    job: Job = None,
    app: App = None,
    device: Device = None,
    group: Group = None,
    force: Annotated[bool, typer.Option("--force", help="Also what is running or as desired already.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send jobs anew, now: waits of any kind, the GRS wait included, end at once.

    Name a job, or an app, a device, a group, or several of these: then jobs are meant that are all of it. Of each
    device and app the newest job counts. What is running or as desired is left alone.

    Example: outrider retry --app Editor --device desk-1
    """
    selection = JobSelection(app=app, device=device, group=group)
    request = SteeringRequest(force=force, dry_run=dry_run)
    _steer(job, selection, request, (ControlClient.retry_job, ControlClient.retry_jobs), as_json=as_json)


@steer_app.command("cancel", epilog=STATUSES)
def cancel(
    job: Job = None,
    app: App = None,
    device: Device = None,
    group: Group = None,
    force: Annotated[bool, typer.Option("--force", help="End a running installer with all its processes.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Cancel jobs: at once what no device has, at the next safe point what a device works on.

    A cancelled app stays as it is on the device until the job is retried, or another revision or intent is wanted.

    Example: outrider cancel --group desks --app Editor --dry-run
    """
    selection = JobSelection(app=app, device=device, group=group)
    request = SteeringRequest(force=force, dry_run=dry_run)
    _steer(job, selection, request, (ControlClient.cancel_job, ControlClient.cancel_jobs), as_json=as_json)


_OneAndMany = tuple[
    Callable[[ControlClient, str, SteeringRequest], SteeringReply],
    Callable[[ControlClient, BulkSteeringRequest], SteeringReply],
]


def _steer(
    job: str | None, selection: JobSelection, request: SteeringRequest, calls: _OneAndMany, *, as_json: bool
) -> None:
    steer_one, steer_many = calls
    with handled(as_json=as_json):
        if (job is None) == (selection == JobSelection()):
            detail = "expected either a job's id, or at least one of --app, --device and --group"
            raise InputError(ErrorCode.DOCUMENT_INVALID, detail=detail)
        with connect() as client:
            if job is not None:
                reply = steer_one(client, job, request)
            else:
                reply = steer_many(client, BulkSteeringRequest(**request.model_dump(), selection=selection))
        if as_json:
            print_views(reply)
        else:
            _print(reply)


def _print(reply: SteeringReply) -> None:
    if not reply.matched:
        typer.echo("No job matches.")
        return
    counts = ", ".join(
        f"{reply.changes[change]} {words}" for change, words in _WORDS.items() if change in reply.changes
    )
    typer.echo(f"{'Nothing is done yet. ' if reply.dry_run else ''}Of {reply.matched} jobs: {counts}.")
    print_table(steering_table(reply.jobs))
    if len(reply.jobs) < reply.matched:
        typer.echo(f"... and {reply.matched - len(reply.jobs)} more.")
