"""`outrider audit`: what was changed, by whom, and whether the log of it is whole."""

from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from control.cli.access_tables import audit_view
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_tables, print_views
from control.client.control_client import ControlClient
from control.views.audit import AuditVerdictView

audit_app = typer.Typer(no_args_is_help=True, help="What was changed, and by whom.")


@audit_app.command("list", epilog=STATUSES)
def list_entries(
    after: Annotated[int, typer.Option(min=0, help="Only entries with a higher number.")] = 0, as_json: Json = False
) -> None:
    """List the changes, oldest first.

    Example: outrider audit list --after 1000
    """
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.audit(after=after))
        else:
            print_tables(client.audit(after=after), audit_view)


@audit_app.command("verify", epilog=STATUSES)
def verify(
    head: Annotated[str, typer.Option(help="A seal that `verify` printed before: it must still be there.")] = "",
    as_json: Json = False,
) -> None:
    """Check that no entry is missing or was changed; ends with status 4 where one is.

    Keep the seal it prints somewhere else: only by it can one see later that the newest entries were cut off.

    Example: outrider audit verify --head 5d3c...
    """
    with handled(as_json=as_json):
        with connect() as client:
            verdict = client.audit_verdict()
            if head and verdict.broken_at is None:
                _require(client, head)
        if verdict.broken_at is not None:
            raise TrustError(ErrorCode.AUDIT_BROKEN, place=f"entry {verdict.broken_at}", detail=_last_good(verdict))
        if as_json:
            print_views(verdict)
        else:
            typer.echo(f"{verdict.entries} entries, all as they were written. The newest seal: {verdict.head}")


def _require(client: ControlClient, head: str) -> None:
    """Look for the seal."""
    if any(entry.seal == head for entry in client.audit()):
        return
    raise TrustError(ErrorCode.AUDIT_BROKEN, detail=f"no entry has the seal {head}: the end was cut off")


def _last_good(verdict: AuditVerdictView) -> str:
    return f"the {verdict.entries} before it are whole"
