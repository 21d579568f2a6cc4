"""`outrider app`: publish and look at apps."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from contract.printable import printable
from control.catalog.manifest_reader import manifest_schema, read_manifest
from control.cli.assignment_words import assignment_table, wish_line
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled, print_json
from control.cli.printing import print_table, print_tables, print_views
from control.cli.progress import bytes_bar
from control.cli.tables import app_table, relation_table, revision_table
from control.client.control_client import ControlClient
from control.views.catalog import AppDetail, PackageView, PublishReply
from storage.intunewin.reader import read_metadata

app_app = typer.Typer(no_args_is_help=True, help="Publish and look at apps.")

PackagePath = Annotated[Path, typer.Argument(help="The .intunewin package.", show_default=False)]
ManifestPath = Annotated[
    Path | None,
    typer.Option(
        "--manifest", "-m", help="The app's manifest; else the package's name with .yaml.", show_default=False
    ),
]


@app_app.command("publish", epilog=STATUSES)
def publish(
    package: PackagePath,
    manifest: ManifestPath = None,
    hold: Annotated[
        bool,
        typer.Option(
            "--hold", help="Keep deploying what is deployed now, so that a rollout can bring the new revision."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish a package with its manifest, and assign the app as the manifest says; doing it again changes nothing.

    A new revision goes to every device that is assigned the app, at once, unless the app is pinned or --hold is said.

    Example: outrider app publish editor.intunewin --manifest editor.yaml --hold
    """
    with handled(as_json=as_json):
        # A wrong file is refused before it is uploaded.
        read_metadata(package)
        described = read_manifest(manifest or package.with_suffix(".yaml"))
        with connect() as client:
            uploaded = upload(client, package)
            reply = client.publish(described, uploaded.digest, hold=hold)
        if as_json:
            print_views(reply)
        else:
            _print_reply(reply)


@app_app.command("list", epilog=STATUSES)
def list_apps(as_json: Json = False) -> None:
    """List the apps."""
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.apps())
        else:
            print_tables(client.apps(), app_table)


@app_app.command("show", epilog=STATUSES)
def show(name: Annotated[str, typer.Argument(help="The app's name or id.")], as_json: Json = False) -> None:
    """Show an app: its revisions, the apps it names, and where it is assigned.

    Example: outrider app show Editor
    """
    with handled(as_json=as_json):
        with connect() as client:
            app = client.app(name)
        if as_json:
            print_views(app)
        else:
            _print_app(app)


@app_app.command("schema", epilog="Exit status: 0 done.")
def schema() -> None:
    """Print the JSON schema of manifests, for editors that check while one types.

    Example: outrider app schema > manifest.schema.json
    """
    with handled():
        print_json(manifest_schema())


def upload(client: ControlClient, path: Path) -> PackageView:
    """Upload a package; people see how far it is.

    Raises:
        PackageError: The file cannot be read.
    """
    try:
        size = path.stat().st_size
        with bytes_bar(wanted=True, expected=size) as bar:
            bar.begin("uploading", size)
            return client.upload(path, bar.advance)
    except OSError as error:
        raise PackageError(ErrorCode.PACKAGE_NOT_A_PACKAGE, place=str(path), detail=str(error)) from error


def _print_reply(reply: PublishReply) -> None:
    what = "published" if reply.created else "was published before, nothing changed in it"
    typer.echo(f"{reply.app} revision {reply.revision}: {what}.")
    if reply.deployed != reply.revision:
        typer.echo(printable(_held_words(reply)))
    for made in reply.assignments:
        typer.echo(printable(f"{wish_line(made)}."))


def _held_words(reply: PublishReply) -> str:
    stays = f"Revision {reply.deployed} stays deployed" if reply.deployed else "No revision is deployed"
    name = shlex.quote(reply.app)
    return f"{stays}: bring this one with `outrider rollout create {name}`, or to all with `outrider app unpin {name}`."


def _print_app(app: AppDetail) -> None:
    typer.echo(f"{app.name}  {app.id}")
    typer.echo(f"installs with   {app.manifest['installCommandLine']}")
    typer.echo(f"uninstalls with {app.manifest['uninstallCommandLine']}\n")
    print_table(revision_table(app.revisions))
    typer.echo()
    _print_relations(app)
    if app.assignments:
        print_table(assignment_table(app.assignments))
    else:
        typer.echo(f"Not assigned yet: outrider assign {app.name!r} --group GROUP")


def _print_relations(app: AppDetail) -> None:
    relations = relation_table(app.manifest)
    if relations.row_count:
        print_table(relations)
        typer.echo()
