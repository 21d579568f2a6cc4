"""`outrider login` and `outrider logout`."""

import sys
from typing import Annotated

import typer

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.printable import printable
from control.cli.connection import require_secure
from control.cli.logins import LoginStore
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_views
from control.cli.words import time_word
from control.client.control_client import ControlClient
from control.views.access import OperatorTokenView

login_app = typer.Typer()


@login_app.command("login", epilog=STATUSES)
def login(
    url: Annotated[str, typer.Argument(help="The control plane's address.")],
    token: Annotated[
        str, typer.Option(help="Without it: asked for, or a line of standard input.", show_default=False)
    ] = "",
    *,
    as_json: Json = False,
) -> None:
    """Check an operator's token and keep it for the commands that follow: in the system's keyring, else in a 0600 file.

    Example: outrider login https://outrider.example
    """
    with handled(as_json=as_json):
        require_secure(url)
        token = token or _asked()
        if not token or not token.isascii() or not token.isprintable():
            raise InputError(ErrorCode.TOKEN_REFUSED, detail="a token is made of letters, digits, - and _")
        with ControlClient(url, token) as client:
            me = client.me()
        where = LoginStore.default().keep(url, token)
        if as_json:
            print_views(me)
        else:
            _print(me, where)


@login_app.command("logout", epilog=STATUSES)
def logout() -> None:
    """Forget the token that `outrider login` kept; it stays good until it is revoked.

    Example: outrider logout
    """
    with handled():
        forgotten = LoginStore.default().forget()
    typer.echo("Logged out." if forgotten else "Nobody was logged in.")


def _asked() -> str:
    """What is typed where there is a terminal; a script hands it in."""
    if sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True))
    return sys.stdin.readline().strip()


def _print(me: OperatorTokenView, where: str) -> None:
    reach = f"in {', '.join(me.groups)}" if me.groups else "for the whole fleet"
    until = f" until {time_word(me.expires_at)}" if me.expires_at else ""
    typer.echo(printable(f"Logged in as {me.name}, {me.role} {reach}{until}. The token is in {where}."))
