"""The stack's commands: `python -m deploy.local up | down | status`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contract.exit_statuses import ExitStatus
from control.cli.output import handled
from deploy.local.addresses import StackAddresses
from deploy.local.broker_rules import RULES
from deploy.local.stack import LocalStack

app = typer.Typer(no_args_is_help=True, help="All of Outrider on this machine, without root.", add_completion=False)

Folder = Annotated[Path, typer.Option(help="Where everything the stack writes lies.")]
_DEFAULT_FOLDER = Path(".outrider")


@app.command()
def up(folder: Folder = _DEFAULT_FOLDER) -> None:
    """Start the stack, or what of it does not run, and say where it answers.

    DATABASE_URL, BROKER_URL and S3_ENDPOINT (with S3_ACCESS_KEY and S3_SECRET_KEY) replace the embedded part.

    Exit statuses: 0 it is up; 1 a part did not start; 2 the folder or the environment does not suit.
    """
    with handled():
        _show(LocalStack(folder).up())


@app.command()
def down(folder: Folder = _DEFAULT_FOLDER) -> None:
    """End every process of the stack and keep its data.

    Exit statuses: 0 nothing of it runs; 1 another command is working on it.
    """
    with handled():
        LocalStack(folder).down()


@app.command()
def status(folder: Folder = _DEFAULT_FOLDER) -> None:
    """Show how each part fares.

    Exit statuses: 0 all parts run; 1 a part does not; 3 the stack does not run.
    """
    stack = LocalStack(folder)
    with handled():
        states = stack.status()
    if not states:
        Console(stderr=True).print(f"No stack runs in {stack.layout.folder}.")
        raise typer.Exit(ExitStatus.UNAVAILABLE)
    table = Table("part", "state", "since")
    for state in states:
        table.add_row(state.name, state.state, state.description)
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Logs: {stack.layout.logs}")
    raise typer.Exit(ExitStatus.FAILED if any(state.state != "RUNNING" for state in states) else ExitStatus.OK)


@app.command("broker-rules")
def broker_rules() -> None:
    """Print the rights of each part's broker user as lines of an ACL file, for a broker of your own.

    Exit statuses: 0 printed.
    """
    for user, rules in RULES.items():
        typer.echo(f"user {user} reset on #SHA256-OF-ITS-PASSWORD {rules}")


def _show(addresses: StackAddresses) -> None:
    rows = {
        "API": addresses.api_url,
        "Flower": f"{addresses.flower_url}  user {addresses.flower_user}, password {addresses.flower_password}",
        "content store": addresses.s3_endpoint,
        "broker": addresses.device_broker_url,
    }
    for name, value in rows.items():
        typer.echo(f"{name:15}{value}")
