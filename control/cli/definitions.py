"""`outrider app import` and `outrider app export`: definitions of other systems, in and out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from contract.printable import printable
from control.catalog.definitions.files import beside_path, load_draft, save_draft, save_json
from control.catalog.definitions.reader import read_definition
from control.catalog.definitions.to_graph import GraphVersion, to_graph
from control.catalog.definitions.to_manifest import to_manifest
from control.cli.connection import connect
from control.cli.output import handled, print_json
from control.cli.words import intent_word

_STATUSES = "Exit status: 0 done, 2 the input is wrong, 130 ended by Ctrl-C."

_FILE_SUFFIXES = {".yaml", ".yml", ".json"}

definitions_app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@definitions_app.command("import", epilog=_STATUSES)
def import_definition(
    file: Annotated[Path, typer.Argument(help="Graph win32LobApp JSON or packagefactory App.json; or a folder of it.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The manifest to write; else named after the input, here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    as_json: Json = False,
) -> None:
    """Make a manifest from another system's app definition.

    What a manifest has no word for (icon, new fields, apps and groups known only by an id) is kept beside it in
    NAME.graph.json and comes back with `outrider app export`.

    Example: outrider app import Chrome/App.json -o chrome.yaml
    """
    with handled(as_json=as_json):
        draft = to_manifest(read_definition(file))
        manifest = output or Path(file.resolve().name.partition(".")[0] + ".yaml")
        written = save_draft(draft, manifest, overwrite=force)
        if as_json:
            print_json({"files": [str(path) for path in written], "notes": list(draft.notes)})
            return
        for path in written:
            typer.echo(f"Wrote {path}")
        for note in draft.notes:
            typer.echo(printable(f"Note: {note}"), err=True)


def _found(app: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and what is beside it; what neither is nor looks like a file is an app's name."""
    path = Path(app)
    if path.is_file() or beside_path(path).exists() or path.suffix in _FILE_SUFFIXES:
        return load_draft(path)
    with connect() as client:
        found = client.app(app)
    assignments = [{"group": one.group, "intent": intent_word(one.intent)} for one in found.assignments]
    return found.manifest | {"assignments": assignments}, {}


@definitions_app.command("export", epilog=_STATUSES)
def export_definition(
    app: Annotated[str, typer.Argument(help="A manifest's file, or the name of a published app.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The file to write; else standard output.")] = (
        None
    ),
    api: Annotated[GraphVersion, typer.Option(help="Which version of Graph it is for.")] = GraphVersion.BETA,
    create: Annotated[
        bool, typer.Option("--create", help="Leave out what Graph sets itself, so that it can be posted.")
    ] = False,
) -> None:
    """Write an app as Graph's win32LobApp JSON, from its manifest's file or from the control plane.

    NAME.graph.json beside a manifest's file is read too.

    Example: outrider app export chrome.yaml --api v1.0 --create -o chrome.json
    """
    with handled():
        fields, beside = _found(app)
        document = to_graph(fields, beside, version=api, create=create)
        if output is None:
            print_json(document)
        else:
            save_json(document, output)
            typer.echo(f"Wrote {output}")
