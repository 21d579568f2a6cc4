"""`outrider enrollment`: tokens that devices enrol with."""

from typing import Annotated

import typer

from control.cli.access_tables import enrollment_table
from control.cli.connection import connect
from control.cli.options import STATUSES, Json, parse_duration
from control.cli.output import handled
from control.cli.printing import print_tables, print_views
from control.cli.words import time_word
from control.views.access import MAX_TOKEN_USES, EnrollmentTokenRequest, EnrollmentTokenView

enrollment_app = typer.Typer(no_args_is_help=True, help="Tokens that devices enrol with.")


@enrollment_app.callback()
def _group() -> None:
    """Tokens that devices enrol with."""


@enrollment_app.command("create", epilog=STATUSES)
def create(
    group: Annotated[str | None, typer.Option("--group", "-g", help="Put the devices into this group.")] = None,
    site: Annotated[str | None, typer.Option(help="Where the devices stand.")] = None,
    uses: Annotated[int, typer.Option(min=1, max=MAX_TOKEN_USES, help="How many devices may use it.")] = 1,
    expires_in: Annotated[str, typer.Option(metavar="DURATION", help="Such as 30m, 1h, 7d.")] = "1h",
    as_json: Json = False,
) -> None:
    """Make a token and print it; it cannot be shown again.

    Example: outrider enrollment create --group desks --uses 10 --expires-in 1d
    """
    with handled(as_json=as_json):
        # The control plane says what is wrong with it.
        request = EnrollmentTokenRequest.model_construct(
            group=group, site=site, uses=uses, lifetime_seconds=parse_duration(expires_in).total_seconds()
        )
        with connect() as client:
            made = client.create_enrollment_token(request)
        print_token(made, as_json=as_json)


@enrollment_app.command("list", epilog=STATUSES)
def list_tokens(
    include_void: Annotated[bool, typer.Option("--all", help="Used up, expired and revoked ones, too.")] = False,
    as_json: Json = False,
) -> None:
    """List the tokens that devices may enrol with, without themselves."""
    with handled(as_json=as_json), connect() as client:
        tokens = client.enrollment_tokens(include_void=include_void)
        if as_json:
            print_views(tokens)
        else:
            print_tables(tokens, enrollment_table)


@enrollment_app.command("revoke", epilog=STATUSES)
def revoke(token_id: Annotated[str, typer.Argument(help="The token's id.")], as_json: Json = False) -> None:
    """Make a token void at once; devices that have enrolled with it stay. Again is fine.

    Example: outrider enrollment revoke 0b6f1c0e-8f0e-4a7f-9d53-7b0c8b5f3f11
    """
    with handled(as_json=as_json):
        with connect() as client:
            revoked = client.revoke_enrollment_token(token_id)
        if as_json:
            print_views(revoked)
        else:
            typer.echo(f"The token {revoked.id} is void.")


def print_token(made: EnrollmentTokenView, *, as_json: bool) -> None:
    """Print a new token, and to people how it is used."""
    if as_json:
        print_views(made)
        return
    typer.echo(made.token)
    typer.echo(f"For {made.uses} devices until {time_word(made.expires_at)}. On each device:", err=True)
    typer.echo(f"  outrider-agent enroll {made.url} {made.token}", err=True)
    typer.echo(f"To make it void: outrider enrollment revoke {made.id}", err=True)
