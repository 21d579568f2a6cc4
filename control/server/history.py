"""`outrider-control history`: jobs of long ago, read out and deleted."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Annotated, Final

import typer

from contract.clock import SystemClock
from control.audit.seals import AuditSealer
from control.audit.trail import AuditTrail
from control.cli.options import Json, parse_duration
from control.cli.output import handled, print_json
from control.database.session import Database
from control.fleet.devices import find_device
from control.history.archived import archived_documents, prune
from control.roles import Role
from control.security.operators import on_this_machine
from control.settings import ControlSettings, load_settings

history_app = typer.Typer(no_args_is_help=True, help="Jobs that newer ones replaced long ago.")

#: Jobs that are deleted in one transaction.
_BATCH: Final = 5000

_OLDER = "Only jobs that were replaced longer ago, such as 365d."


@history_app.command("export")
def export(
    device: Annotated[str | None, typer.Option(metavar="DEVICE", help="Only this device's, by name or id.")] = None,
    older_than: Annotated[str | None, typer.Option(metavar="DURATION", help=_OLDER)] = None,
) -> None:
    """Print the archived jobs as JSON lines, oldest first, each with its phases and reports.

    Example: outrider-control history export --older-than 365d | gzip > 2025.jsonl.gz
    """
    with handled(), _opened() as (_settings, database):
        before = None if older_than is None else _ago(older_than)
        device_id = None if device is None else _id_of(database, device)
        for document in archived_documents(database, device_id=device_id, replaced_before=before):
            sys.stdout.write(f"{document}\n")


@history_app.command("prune")
def prune_old(
    older_than: Annotated[str, typer.Option(metavar="DURATION", help=_OLDER)],
    as_json: Json = False,
) -> None:
    """Delete archived jobs for good; each batch of them is in the audit log.

    Example: outrider-control history prune --older-than 730d
    """
    with handled(as_json=as_json), _opened() as (settings, database):
        trail, before, deleted = AuditTrail(AuditSealer.load(settings.state_dir)), _ago(older_than), 0
        while batch := _prune(database, trail, before):
            deleted += batch
    if as_json:
        print_json({"deleted": deleted})
    else:
        typer.echo(f"{deleted} archived jobs deleted.")


def _prune(database: Database, trail: AuditTrail, before: datetime) -> int:
    with database.transaction() as session:
        deleted = prune(session, replaced_before=before, limit=_BATCH)
        if deleted:
            after = {"replaced_before": before.isoformat(), "jobs": deleted}
            now = SystemClock().now()
            trail.record(session, on_this_machine(Role.ADMIN), "history.prune", "archive", now=now, after=after)
    return deleted


def _ago(duration: str) -> datetime:
    return SystemClock().now() - parse_duration(duration)


def _id_of(database: Database, device: str) -> str:
    with database.snapshot() as session:
        return find_device(session, device).id


@contextmanager
def _opened() -> Iterator[tuple[ControlSettings, Database]]:
    settings = load_settings()
    with closing(Database.at(settings.database_url.get_secret_value())) as database:
        yield settings, database
