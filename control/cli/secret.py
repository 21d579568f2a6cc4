"""`outrider secret`: licence keys and passwords for installers."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.installer_secrets import LONGEST_SECRET_CHARACTERS, SecretValue
from contract.printable import printable
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_table, print_views
from control.cli.secret_table import secret_table

secret_app = typer.Typer(no_args_is_help=True, help="Licence keys and passwords for installers.")

Name = Annotated[str, typer.Argument(help="The secret's name.", show_default=False)]

#: No character takes more bytes.
_MAX_BYTES = 4 * LONGEST_SECRET_CHARACTERS


@secret_app.command("set", epilog=STATUSES)
def set_secret(
    name: Name,
    from_file: Annotated[
        Path | None,
        typer.Option("--from-file", "-f", help="Take the value from this file, as it is.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep a secret's value, from standard input or a file; setting it again makes a new version (rotation).

    The line end that a typed or piped value ends with is no part of it. A value is never taken from the command line,
    where others could read it.

    Example: outrider secret set editor-licence --from-file licence.txt
    """
    with handled(as_json=as_json):
        value = _valid(_typed() if from_file is None else _read(from_file), "" if from_file is None else str(from_file))
        with connect() as client:
            kept = client.set_secret(name, value)
        if as_json:
            print_views(kept)
        else:
            typer.echo(f"{kept.name} has version {kept.version} now; commands get it from their next start on.")


@secret_app.command("list", epilog=STATUSES)
def list_secrets(as_json: Json = False) -> None:
    """List the secrets, without their values, and which apps ask for them."""
    with handled(as_json=as_json):
        with connect() as client:
            secrets = list(client.secrets())
        if as_json:
            print_views(secrets)
        else:
            print_table(secret_table(secrets))


@secret_app.command("show", epilog=STATUSES)
def show(name: Name, as_json: Json = False) -> None:
    """Show what is known of a secret; its value is never shown.

    Example: outrider secret show editor-licence
    """
    with handled(as_json=as_json):
        with connect() as client:
            secret = client.secret(name)
        if as_json:
            print_views(secret)
        else:
            print_table(secret_table([secret]))


@secret_app.command("delete", epilog=STATUSES)
def delete(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Although apps ask for it.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a secret for good; refused while an app's newest or pinned revision asks for it.

    Example: outrider secret delete editor-licence
    """
    with handled(as_json=as_json):
        with connect() as client:
            gone = client.delete_secret(name, force=force)
        if as_json:
            print_views(gone)
        else:
            typer.echo(f"{gone.name} is gone.")
            if gone.used_by:
                typer.echo(printable(f"Warning: jobs of {', '.join(gone.used_by)} fail without it."), err=True)


def _typed() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Value", hide_input=True, confirmation_prompt=True))
    return _text(sys.stdin.buffer.read(_MAX_BYTES + 1), "standard input").removesuffix("\n").removesuffix("\r")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _text(file.read(_MAX_BYTES + 1), str(path))
    except OSError as error:
        raise InputError(ErrorCode.DOCUMENT_INVALID, place=str(path), detail=str(error.strerror)) from error


def _text(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # What it holds is kept out of the error's causes.
        raise InputError(ErrorCode.DOCUMENT_INVALID, place=place, detail="expected UTF-8 text") from None


def _valid(value: str, place: str) -> str:
    try:
        return TypeAdapter(SecretValue).validate_python(value)
    except ValidationError as error:
        detail = error.errors(include_input=False)[0]["msg"]
    raise InputError(ErrorCode.DOCUMENT_INVALID, place=place or "value", detail=detail)
