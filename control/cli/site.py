"""`outrider device set-site`: where a device stands."""

from typing import Annotated

import typer

from control.cli.connection import connect
from control.cli.options import STATUSES, Json
from control.cli.output import handled, say

site_app = typer.Typer()


@site_app.command("set-site", epilog=STATUSES)
def set_site(
    device: Annotated[str, typer.Argument(help="The device's name or id.")],
    site: Annotated[str | None, typer.Argument(help="The site; without one, none is known.")] = None,
    as_json: Json = False,
) -> None:
    """Say where a device stands; groups and filters that ask for its site follow at once.

    Example: outrider device set-site desk-1 Berlin
    """
    with handled(as_json=as_json), connect() as client:
        changed = client.set_site(device, site)
        words = f"{changed.name} stands in {site}." if site else f"{changed.name} has no site."
        say(words, changed.model_dump(mode="json"), as_json=as_json)
