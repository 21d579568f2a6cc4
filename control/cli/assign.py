"""`outrider assign`: want an app on a group."""

from typing import Annotated

import typer

from control.cli.connection import connect
from control.cli.options import STATUSES, IntentWord, Json
from control.cli.output import handled
from control.cli.printing import print_views
from control.cli.words import intent_word
from control.views.assignments import AssignmentRequest

assign_app = typer.Typer()


@assign_app.command("assign", epilog=STATUSES)
def assign(
    app: Annotated[str, typer.Argument(help="The app's name or id.")],
    group: Annotated[str, typer.Option("--group", "-g", help="The group's name.")],
    intent: Annotated[IntentWord, typer.Option(help="What is wanted of the app.")] = IntentWord.REQUIRED,
    as_json: Json = False,
) -> None:
    """Want an app on the devices of a group; devices that are online begin at once.

    A group has one intent for an app: assigning it again with another intent changes it. Where the groups of a device
    want different things, required beats uninstall.

    Example: outrider assign Editor --group desks --intent required
    """
    with handled(as_json=as_json):
        with connect() as client:
            made = client.assign(AssignmentRequest(app=app, group=group, intent=intent.intent))
        if as_json:
            print_views(made)
        else:
            typer.echo(f"{made.app} is {intent_word(made.intent)} on {made.group}. Watch it: outrider status --watch")
