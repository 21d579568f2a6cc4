"""Where an enrolment token comes from: on a command line, every user of the machine can read it."""

import os
import sys
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError

#: The environment variable that may hold the token.
TOKEN_VARIABLE: Final = "OUTRIDER_ENROLLMENT_TOKEN"  # noqa: S105  the name of a place
#: In the token's place: read it from standard input.
FROM_STDIN: Final = "-"
#: Tokens are far shorter.
_MAX_BYTES: Final = 4096

Token = Annotated[
    str,
    typer.Argument(
        help=f"The enrolment token an operator handed out; `{FROM_STDIN}` reads it from standard input. Without it and "
        f"--token-file: {TOKEN_VARIABLE}, or a question.",
        show_default=False,
    ),
]
TokenFile = Annotated[Path | None, typer.Option(help="Read the token from this file.", show_default=False)]


def enrollment_token(token: str, file: Path | None) -> str:
    """The token from the command line, a file, standard input, the environment or a person, in this order.

    Raises:
        InputError: DOCUMENT_INVALID: there is no token where it should be.
        typer.BadParameter: Two places were named, or none and nobody is there to ask.
    """
    if token and file is not None:
        raise typer.BadParameter("expected one of TOKEN and --token-file, found both")
    if file is not None:
        return _read_file(file)
    if token == FROM_STDIN:
        return _read(sys.stdin.buffer, "standard input")
    return token or os.environ.get(TOKEN_VARIABLE, "").strip() or _asked()


def _read_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _read(file, str(path))
    except OSError as error:
        raise InputError(ErrorCode.DOCUMENT_INVALID, place=str(path), detail=str(error.strerror)) from error


def _read(source: BinaryIO, place: str) -> str:
    data = source.read(_MAX_BYTES + 1).strip()
    if not data or len(data) > _MAX_BYTES or not data.isascii() or len(data.split()) > 1:
        found = f"{len(data)} bytes" if len(data) <= _MAX_BYTES else f"more than {_MAX_BYTES} bytes"
        raise InputError(ErrorCode.DOCUMENT_INVALID, place=place, detail=f"expected one token, found {found}")
    return data.decode("ascii")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"expected a token: `{FROM_STDIN}`, --token-file or {TOKEN_VARIABLE}")
    return str(typer.prompt("Token", hide_input=True))
