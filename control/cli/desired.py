"""`outrider apply|diff|export|schema`: desired state in files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.exit_statuses import ExitStatus
from contract.printable import printable
from control.cli.app import upload
from control.cli.change_words import change_lines, counts_line
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled, print_json, say
from control.cli.printing import print_views
from control.client.control_client import ControlClient
from control.desired.files import Desired, read_folder, write_folder
from control.desired.schemas import schema_of
from control.views.changes import ChangesRequest, ChangesView

desired_app = typer.Typer()

Kind = Literal["Filter", "Group", "App", "Assignment", "Rollout"]

Folder = Annotated[Path, typer.Option("--folder", "-f", help="A folder of YAML files.", show_default=False)]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove assignments, groups and filters that the files do not name.")
]


@desired_app.command("diff", epilog=STATUSES)
def diff(
    folder: Folder,
    prune: Prune = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 1 where anything differs.")] = False,
    as_json: Json = False,
) -> None:
    """Say what `outrider apply` would change; nothing is changed.

    Example: outrider diff -f fleet/
    """
    with handled(as_json=as_json):
        desired = read_folder(folder)
        with connect() as client:
            planned = _plan(client, desired, prune=prune)
        _print(planned, as_json=as_json)
        if exit_code and planned.changes:
            raise typer.Exit(ExitStatus.FAILED)


@desired_app.command("apply", epilog=STATUSES)
def apply(
    folder: Folder,
    prune: Prune = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Make filters, groups, apps, assignments and rollouts what the files say, all of it or nothing.

    The plan is shown first. Doing it again changes nothing. If something is changed by others after the plan was
    shown, nothing is done.

    Example: outrider apply -f fleet/ --prune
    """
    with handled(as_json=as_json):
        if as_json and not yes:
            raise InputError(ErrorCode.CONFIRMATION_MISSING, detail="--json asks nothing, so it goes with --yes")
        desired = read_folder(folder)
        with connect() as client:
            planned = _plan(client, desired, prune=prune)
            if not as_json:
                _print(planned, as_json=False)
            if planned.changes and not yes:
                typer.confirm("Carry this out?", abort=True)
            if planned.changes:
                _upload(client, desired, planned)
                planned = client.change(
                    ChangesRequest(documents=desired.documents, prune=prune, expected_state=planned.state)
                )
        if as_json:
            print_views(planned)
        elif planned.applied:
            typer.echo("Done.")


@desired_app.command("export", epilog=STATUSES)
def export(
    folder: Annotated[Path, typer.Argument(help="The folder to write to.", show_default=False)],
    members: Annotated[
        bool, typer.Option("--members", help="With the devices of groups that have no rule, by name.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of an earlier export.")] = False,
    as_json: Json = False,
) -> None:
    """Write all filters, groups, apps, assignments and rollouts under way as files that can be applied again.

    Example: outrider export fleet/
    """
    with handled(as_json=as_json):
        with connect() as client:
            state = client.state(members=members)
        written = [str(path) for path in write_folder(folder, state.documents, overwrite=force)]
        words = "\n".join((f"{len(state.documents)} documents in {len(written)} files.", *written))
        say(words, {"documents": len(state.documents), "files": written}, as_json=as_json)


@desired_app.command("schema", epilog="Exit status: 0 done, 2 the kind is wrong.")
def schema(kind: Annotated[Kind, typer.Argument(help="What kind of document.")]) -> None:
    """Print the JSON schema of a kind of document, for editors that check while one types.

    Example: outrider schema Assignment
    """
    with handled():
        print_json(schema_of(kind))


def _plan(client: ControlClient, desired: Desired, *, prune: bool) -> ChangesView:
    planned = client.change(ChangesRequest(documents=desired.documents, prune=prune, dry_run=True))
    unknown = [digest for digest in planned.missing_packages if digest not in desired.packages]
    if unknown:
        detail = "name the package by its path, or upload it first"
        raise InputError(ErrorCode.UNKNOWN_PACKAGE, place=unknown[0], detail=detail)
    return planned


def _upload(client: ControlClient, desired: Desired, planned: ChangesView) -> None:
    """Content by itself does nothing, so it may be there before the rest is decided."""
    for digest in planned.missing_packages:
        path = desired.packages[digest]
        found = upload(client, path).digest
        if found != digest:
            raise InputError(ErrorCode.PACKAGE_SOURCE_CHANGED, place=str(path))


def _print(planned: ChangesView, *, as_json: bool) -> None:
    if as_json:
        print_views(planned)
        return
    for change in planned.changes:
        for line in change_lines(change):
            typer.echo(printable(line))
    typer.echo(counts_line(planned))
