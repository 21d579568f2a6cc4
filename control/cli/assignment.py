"""`outrider assignment` and `outrider unassign`: look at what is wanted where, and take it back."""

from typing import Annotated

import typer

from contract.printable import printable
from control.cli.assignment_words import assignment_lines, assignment_table
from control.cli.connection import connect
from control.cli.options import STATUSES, IfMatch, Json
from control.cli.output import handled, say
from control.cli.printing import print_table, print_tagged, print_views

assignment_app = typer.Typer(no_args_is_help=True, help="What is wanted where.")
unassign_app = typer.Typer()

App = Annotated[str, typer.Argument(help="The app's name or id.")]
Group = Annotated[str, typer.Option("--group", "-g", help="The group's name.")]


@assignment_app.command("list", epilog=STATUSES)
def list_assignments(
    app: Annotated[str | None, typer.Option(help="Only those of this app.")] = None,
    group: Annotated[str | None, typer.Option("--group", "-g", help="Only those to this group.")] = None,
    as_json: Json = False,
) -> None:
    """List the assignments.

    Example: outrider assignment list --group desks
    """
    with handled(as_json=as_json):
        with connect() as client:
            found = list(client.assignments(app=app, group=group))
        if as_json:
            print_views(found)
        else:
            print_table(assignment_table(found))


@assignment_app.command("show", epilog=STATUSES)
def show(app: App, group: Group, as_json: Json = False) -> None:
    """Show an assignment with all its terms.

    Example: outrider assignment show Editor --group desks
    """
    with handled(as_json=as_json):
        with connect() as client:
            found = client.assignment(app, group)
        if as_json:
            print_tagged(found)
        else:
            for line in assignment_lines(found.view):
                typer.echo(printable(line))


@unassign_app.command("unassign", epilog=STATUSES)
def unassign(app: App, group: Group, if_match: IfMatch = None, as_json: Json = False) -> None:
    """Want nothing of an app on a group any more; what is installed stays, jobs that wait are cancelled.

    Example: outrider unassign Editor --group desks
    """
    with handled(as_json=as_json), connect() as client:
        client.unassign(app, group, if_match=if_match)
        say(f"{app} is not assigned to {group} any more.", {"app": app, "group": group}, as_json=as_json)
