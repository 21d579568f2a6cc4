"""`outrider device`: look at devices."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from contract.printable import printable
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_table, print_tables, print_views
from control.cli.tables import device_table, phase_table
from control.cli.words import ago_word, next_action_word, purpose_word, state_word, time_word, waiting_word
from control.views.fleet import DeviceDetail
from control.views.jobs import JobDetail

#: How much of an installer's output a person is shown; `--json` has all that was reported.
_SHOWN_LINES = 10

device_app = typer.Typer(no_args_is_help=True, help="Look at devices.")


@device_app.command("list", epilog=STATUSES)
def list_devices(as_json: Json = False) -> None:
    """List the devices."""
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.devices())
        else:
            print_tables(client.devices(), lambda rows: device_table(rows, datetime.now(UTC)))


@device_app.command("show", epilog=STATUSES)
def show(device: Annotated[str, typer.Argument(help="The device's name or id.")], as_json: Json = False) -> None:
    """Show a device: what it is, its groups, and its jobs with the time each phase took and what happens next.

    Example: outrider device show desk-1
    """
    with handled(as_json=as_json):
        with connect() as client:
            detail = client.device(device)
        if as_json:
            print_views(detail)
        else:
            _print_device(detail, datetime.now(UTC))


@device_app.command("jobs", epilog=STATUSES)
def jobs(device: Annotated[str, typer.Argument(help="The device's name or id.")], as_json: Json = False) -> None:
    """List all jobs of a device, by app and age; `outrider device show` has the newest hundred.

    Example: outrider device jobs desk-1 --json
    """
    with handled(as_json=as_json), connect() as client:
        found = client.device_jobs(device)
        if as_json:
            print_views(found)
        else:
            for job in found:
                _print_job(job, datetime.now(UTC))


def _print_device(device: DeviceDetail, now: datetime) -> None:
    typer.echo(f"{device.name}  {device.id}")
    typer.echo(f"{device.os_name} {device.os_version} {device.architecture}, agent {device.agent_version}")
    typer.echo(f"{'online' if device.online else 'offline'}, last seen {ago_word(device.last_seen_at, now)}")
    typer.echo(printable(f"site: {device.site or 'none'}"))
    typer.echo(f"groups: {', '.join(device.groups) or 'none'}")
    if device.refused_messages:
        typer.echo(f"refused messages of the broker: {device.refused_messages}")
    for job in device.jobs:
        typer.echo()
        _print_job(job, now)
    if device.has_more_jobs:
        typer.echo(f"\nolder jobs: outrider device jobs {device.id}")
    if device.archived_jobs:
        typer.echo(f"\nolder jobs in the archive: {device.archived_jobs}")


def _print_job(job: JobDetail, now: datetime) -> None:
    for line in job_lines(job, now):
        # Devices are told by installers what to say.
        typer.echo(printable(line))
    if job.phases:
        print_table(phase_table(job.phases))


def job_lines(job: JobDetail, now: datetime) -> list[str]:
    """A job in a few lines: what it is, what came of it, why, and what is next."""
    outcome = f": {job.outcome}" if job.outcome else ""
    lines = [f"{job.app} r{job.revision} {purpose_word(job)}, {state_word(job)}{outcome}"]
    lines.append(
        f"  job {job.id}, made {time_word(job.created_at)}, generation {job.generation} ({job.generation_reason}),"
        f" attempt {job.attempt}"
    )
    if job.error_code:
        number = f" (0x{job.error_number:08X})" if job.error_number is not None else ""
        exit_code = f", exit code {job.raw_exit_code}" if job.raw_exit_code is not None else ""
        lines.append(f"  error {job.error_code}{number}{exit_code}: {job.error_detail}")
    if job.hint:
        lines.append(f"  hint: {job.hint}")
    if job.waiting_since is not None:
        lines.append(f"  waits for: {waiting_word(job)}, since {time_word(job.waiting_since)}")
    if job.next_action:
        lines.append(f"  next: {next_action_word(job, now)}")
    return [*lines, *_output_lines(job)]


def _output_lines(job: JobDetail) -> list[str]:
    """The end of what a failing installer printed."""
    if job.outcome is None or job.outcome.as_desired or not job.output_tail:
        return []
    return ["  the installer's last words:", *(f"    {line}" for line in job.output_tail.splitlines()[-_SHOWN_LINES:])]
