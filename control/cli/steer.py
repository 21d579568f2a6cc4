"""`outrider retry`, `rerun-detection` and `cancel`: step in, for one job or many."""

from collections.abc import Callable
from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.cli.connection import connect
from control.cli.job_options import All, App, Device, DryRun, Group, Rollout
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_table, print_views
from control.cli.tables import steering_table
from control.client.control_client import ControlClient
from control.steering.decisions import Change
from control.views.job_selection import JobSelection
from control.views.steering import BulkSteeringRequest, SteeringReply, SteeringRequest

steer_app = typer.Typer()

Job = Annotated[str | None, typer.Argument(help="The job's id, as `outrider device show` prints it.")]

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
    *,
    app: App = None,
    device: Device = None,
    group: Group = None,
    rollout: Rollout = None,
    everything: All = False,
    force: Annotated[bool, typer.Option("--force", help="Also what is running or as desired already.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send jobs anew, now: waits of any kind, the GRS wait included, end at once.

    Name a job, or an app, a device, a group, a rollout, or several of these: then jobs are meant that are all of it; or
    --all. Of each device and app the newest job counts. What is running or as desired is left alone.

    Example: outrider retry --app Editor --device desk-1
    """
    selection = JobSelection(app=app, device=device, group=group, rollout=rollout, everything=everything)
    request = SteeringRequest(force=force, dry_run=dry_run)
    _steer(job, selection, request, (ControlClient.retry_job, ControlClient.retry_jobs), as_json=as_json)


@steer_app.command("rerun-detection", epilog=STATUSES)
def rerun_detection(
    job: Job = None,
    *,
    app: App = None,
    device: Device = None,
    group: Group = None,
    rollout: Rollout = None,
    everything: All = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Have devices look again whether apps are there, and report it: what is there is not touched, waits go on.

    What a required app is missing from is then installed, as at the next evaluation of the device itself.

    Example: outrider rerun-detection --app Editor --group desks
    """
    selection = JobSelection(app=app, device=device, group=group, rollout=rollout, everything=everything)
    request = SteeringRequest(dry_run=dry_run)
    _steer(job, selection, request, (ControlClient.detect_job, ControlClient.detect_jobs), as_json=as_json)


@steer_app.command("cancel", epilog=STATUSES)
def cancel(
    job: Job = None,
    *,
    app: App = None,
    device: Device = None,
    group: Group = None,
    rollout: Rollout = None,
    everything: All = False,
    force: Annotated[bool, typer.Option("--force", help="End a running installer with all its processes.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Cancel jobs: at once what no device has, at the next safe point what a device works on.

    A cancelled app stays as it is on the device until the job is retried, or another revision or intent is wanted.

    Example: outrider cancel --group desks --app Editor --dry-run
    """
    selection = JobSelection(app=app, device=device, group=group, rollout=rollout, everything=everything)
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
            detail = "expected either a job's id, or at least one of --app, --device, --group and --rollout, or --all"
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
