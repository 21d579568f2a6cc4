"""`outrider errors`: what went wrong how often."""

from typing import Annotated

import typer

from contract.printable import printable
from control.cli.connection import connect
from control.cli.job_options import App, Device, Group, Rollout, Target
from control.cli.options import STATUSES, Json
from control.cli.output import handled
from control.cli.printing import print_table, print_views
from control.cli.tables import plain_table
from control.views.job_selection import JobQuery
from control.views.status import ErrorCount

errors_app = typer.Typer()

Past = Annotated[bool, typer.Option("--past", help="Also what earlier attempts and replaced jobs reported.")]


@errors_app.command("errors", epilog=STATUSES)
def errors(
    target: Target = None,
    *,
    app: App = None,
    group: Group = None,
    device: Device = None,
    rollout: Rollout = None,
    past: Past = False,
    as_json: Json = False,
) -> None:
    """Show which errors jobs have now, by code, phase and app, the commonest first, each with what to do about it.

    Examples: outrider errors Editor; what made a rollout go back: outrider errors --past --rollout "Editor r2"
    """
    query = JobQuery(target=target, app=app, group=group, device=device, rollout=rollout)
    with handled(as_json=as_json):
        with connect() as client:
            found = client.errors(query, past=past)
        if as_json:
            print_views(found)
        elif found:
            _print(found)
        else:
            typer.echo("No job ever had an error." if past else "No job has an error.")


def _print(found: list[ErrorCount]) -> None:
    table = plain_table("jobs", "error", "number", "phase", "app", "for example on")
    for error in found:
        number = "" if error.number is None else f"0x{error.number:08X}"
        words = (error.code, number, error.phase or "", error.app, ", ".join(error.devices))
        table.add_row(str(error.jobs), *map(printable, words))
    print_table(table)
    for code, hint in dict.fromkeys((error.code, error.hint) for error in found if error.hint):
        typer.echo(f"\n{printable(f'{code}: {hint}')}")
