"""`outrider device retire` and `outrider device replace`."""

from typing import Annotated

import typer

from contract.printable import printable
from control.cli.connection import connect
from control.cli.enrollment import print_token
from control.cli.options import STATUSES, Json, parse_duration
from control.cli.output import handled
from control.cli.printing import print_views
from control.views.fleet import ReplacementRequest

Device = Annotated[str, typer.Argument(help="The device's name or id.")]

retirement_app = typer.Typer()


@retirement_app.command("retire", epilog=STATUSES)
def retire(device: Device, as_json: Json = False) -> None:
    """Shut a device out for good: control plane and broker refuse it, its jobs are given up. Again is fine.

    Example: outrider device retire desk-1
    """
    with handled(as_json=as_json):
        with connect() as client:
            retired = client.retire(device)
        if as_json:
            print_views(retired)
        else:
            typer.echo(printable(f"{retired.name} ({retired.id}) is retired."))
            if retired.cut_off_at is None:
                typer.echo("The broker does not answer: it shuts the device out as soon as it is back.")


@retirement_app.command("replace", epilog=STATUSES)
def replace(
    device: Device,
    expires_in: Annotated[str, typer.Option(metavar="DURATION", help="Such as 30m, 1h, 7d.")] = "1d",
    as_json: Json = False,
) -> None:
    """Make a token for new hardware; whoever enrols with it has this device's name and groups, and this one is retired.

    Example: outrider device replace desk-1
    """
    with handled(as_json=as_json):
        request = ReplacementRequest(lifetime_seconds=parse_duration(expires_in).total_seconds())
        with connect() as client:
            made = client.replace(device, request)
        print_token(made, as_json=as_json)
