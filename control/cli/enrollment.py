"""`outrider enrollment`: tokens that devices enrol with."""

from typing import Annotated

import typer

from control.cli.connection import connect
from control.cli.options import STATUSES, Json, parse_duration
from control.cli.output import handled
from control.cli.printing import print_views
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
        request = EnrollmentTokenRequest(
            group=group, site=site, uses=uses, lifetime_seconds=parse_duration(expires_in).total_seconds()
        )
        with connect() as client:
            made = client.create_enrollment_token(request)
        print_token(made, as_json=as_json)


def print_token(made: EnrollmentTokenView, *, as_json: bool) -> None:
    """Print a new token, and to people how it is used."""
    if as_json:
        print_views(made)
        return
    typer.echo(made.token)
    typer.echo(f"For {made.uses} devices until {time_word(made.expires_at)}. On each device:", err=True)
    typer.echo(f"  outrider-agent enroll {made.url} {made.token}", err=True)
