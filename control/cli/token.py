"""`outrider token`: operators' tokens."""

from typing import Annotated

import typer

from contract.printable import printable
from control.cli.access_tables import token_table
from control.cli.connection import connect
from control.cli.options import STATUSES, Json, parse_duration
from control.cli.output import handled
from control.cli.printing import print_tables, print_views
from control.roles import Role
from control.views.access import OperatorTokenRequest

token_app = typer.Typer(no_args_is_help=True, help="Tokens of operators.")


@token_app.command("create", epilog=STATUSES)
def create(
    name: Annotated[str, typer.Argument(help="Whose token it is.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.VIEWER,
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="Confine it to this group.")] = None,
    expires_in: Annotated[str, typer.Option(metavar="DURATION", help="Such as 12h, 30d; or never.")] = "30d",
    as_json: Json = False,
) -> None:
    """Make a token and print it; it cannot be shown again.

    Example: outrider token create eve --role operator --group desks --expires-in 90d
    """
    with handled(as_json=as_json):
        seconds = None if expires_in == "never" else parse_duration(expires_in).total_seconds()
        request = OperatorTokenRequest(name=name, role=role, groups=tuple(group or ()), lifetime_seconds=seconds)
        with connect() as client:
            made = client.create_token(request)
        if as_json:
            print_views(made)
        else:
            typer.echo(made.token)
            typer.echo(f"With it: outrider login URL. To make it void: outrider token revoke {made.id}", err=True)


@token_app.command("list", epilog=STATUSES)
def list_tokens(as_json: Json = False) -> None:
    """List the tokens, without themselves."""
    with handled(as_json=as_json), connect() as client:
        if as_json:
            print_views(client.tokens())
        else:
            print_tables(client.tokens(), token_table)


@token_app.command("revoke", epilog=STATUSES)
def revoke(token_id: Annotated[str, typer.Argument(help="The token's id.")], as_json: Json = False) -> None:
    """Make a token void at once; again is fine.

    Example: outrider token revoke 0b6f1c0e-8f0e-4a7f-9d53-7b0c8b5f3f11
    """
    with handled(as_json=as_json):
        with connect() as client:
            revoked = client.revoke_token(token_id)
        if as_json:
            print_views(revoked)
        else:
            typer.echo(printable(f"The token of {revoked.name} is void."))
