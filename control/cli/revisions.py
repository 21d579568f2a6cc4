"""`outrider app revisions`, `pin`, `unpin` and `rollback`: which revision is deployed."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table

from contract.printable import printable
from control.cli.connection import connect
from control.cli.options import STATUSES, IfMatch, Json
from control.cli.output import handled
from control.cli.printing import print_tables, print_tagged, print_views
from control.cli.tables import plain_table
from control.cli.words import time_word
from control.views.revisions import DeployedRevisionView, DeploymentView

revisions_app = typer.Typer()

App = Annotated[str, typer.Argument(help="The app's name or id.", show_default=False)]


@revisions_app.command("revisions", epilog=STATUSES)
def revisions(app: App, as_json: Json = False) -> None:
    """List the revisions of an app, oldest first: which is deployed, and on how many devices each of them is.

    Example: outrider app revisions Editor
    """
    with handled(as_json=as_json), connect() as client:
        found = client.revisions(app)
        if as_json:
            print_views(found)
        else:
            print_tables(found, revisions_table)


@revisions_app.command("pin", epilog=STATUSES)
def pin(
    app: App,
    revision: Annotated[
        int | None, typer.Argument(min=1, help="Its number; else, say which is deployed.", show_default=False)
    ] = None,
    if_match: IfMatch = None,
    as_json: Json = False,
) -> None:
    """Deploy this revision until another one is pinned, whatever is published meanwhile; or say which is deployed.

    Devices that have had a newer revision keep theirs; `outrider app rollback` brings an older one back there, too.

    Example: outrider app pin Editor 3
    """
    with handled(as_json=as_json), connect() as client:
        if revision is not None:
            _print(client.pin(app, revision, if_match=if_match), as_json=as_json)
        elif as_json:
            print_tagged(client.deployment(app))
        else:
            _print(client.deployment(app).view, as_json=False)


@revisions_app.command("unpin", epilog=STATUSES)
def unpin(app: App, if_match: IfMatch = None, as_json: Json = False) -> None:
    """Roll forward: deploy the newest revision from now on.

    Example: outrider app unpin Editor
    """
    with handled(as_json=as_json), connect() as client:
        _print(client.roll_forward(app, if_match=if_match), as_json=as_json)


@revisions_app.command("rollback", epilog=STATUSES)
def rollback(
    app: App,
    to: Annotated[
        int | None, typer.Option("--to", min=1, help="The revision; else the one before the deployed one.")
    ] = None,
    if_match: IfMatch = None,
    as_json: Json = False,
) -> None:
    """Bring an older revision back, under a new number: a device never goes to a smaller one.

    Example: outrider app rollback Editor --to 2
    """
    with handled(as_json=as_json), connect() as client:
        _print(client.roll_back(app, to, if_match=if_match), as_json=as_json)


def revisions_table(revisions: Iterable[DeployedRevisionView]) -> Table:
    """Revisions and where they are."""
    table = plain_table("revision", "version", "deployed", "installed", "under way", "other", "created")
    for one in revisions:
        brought_back = "" if one.copied_from is None else f" (revision {one.copied_from} again)"
        deployed = "pinned" if one.is_pinned else "yes" if one.is_deployed else ""
        counts = (str(one.installed), str(one.under_way), str(one.other))
        table.add_row(f"{one.number}{brought_back}", one.display_version, deployed, *counts, time_word(one.created_at))
    return table


def _print(deployed: DeploymentView, *, as_json: bool) -> None:
    if as_json:
        print_views(deployed)
        return
    if not deployed.deployed:
        typer.echo(printable(f"No revision of {deployed.app} is deployed."))
        return
    how = "pinned" if deployed.pinned else "the newest"
    typer.echo(printable(f"{deployed.app} is deployed at revision {deployed.deployed}, {how}."))
