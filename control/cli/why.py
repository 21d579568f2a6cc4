"""`outrider why`: why an app is as it is on a device."""

from typing import Annotated

import typer

from contract.printable import printable
from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_views
from control.views.why import Why

why_app = typer.Typer()

_VERDICTS = {
    True: "is as wanted",
    False: "is not as wanted",
    None: "has no verdict yet",
}


@why_app.command("why", epilog=STATUSES)
def why(
    device: Annotated[str, typer.Argument(help="The device's name or id.")],
    app: Annotated[str, typer.Argument(help="The app's name or id.")],
    as_json: Json = False,
) -> None:
    """Say why an app is as it is on a device: who wants it, what the rules compared, what failed, what it waits for.

    Example: outrider why desk-1 Editor
    """
    with handled(as_json=as_json):
        with connect() as client:
            found = client.why(device, app)
        if as_json:
            print_views(found)
        else:
            _print(found)


def _print(found: Why) -> None:
    typer.echo(printable(f"{found.app} on {found.device} {_VERDICTS[found.as_wanted]}:"))
    for number, reason in enumerate(found.reasons, 1):
        # Devices say what they found, and installers tell devices what to say.
        typer.echo(printable(f"{number:3}. {reason.kind}: {reason.words}"))
