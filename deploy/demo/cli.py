"""`python -m deploy.demo`: deploy a real package to three real devices on this machine."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from contract.exit_statuses import ExitStatus
from control.cli.output import handled
from deploy.demo.scenario import Scenario, client_of, fresh_folder
from deploy.demo.summary import show_summary, where_to_look
from deploy.demo.watch import watch
from deploy.local.stack import LocalStack

DEFAULT_FOLDER = Path(".outrider/demo")


def demo(
    folder: Annotated[Path, typer.Option(help="Everything is in here; what it held before is removed.")] = (
        DEFAULT_FOLDER
    ),
    keep: Annotated[bool, typer.Option("--keep", help="Leave it all running.")] = False,
) -> None:
    """Start a control plane and three devices, deploy a package to them, show what happens, and end it all again.

    Exit status: 0 exactly when each device ended as it should.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(highlight=False)
    with handled():
        fresh_folder(folder)
        scenario = Scenario(LocalStack(folder), console)
        as_it_should = False
        try:
            as_it_should = _play(scenario)
            console.print(
                where_to_look(scenario.stack.addresses, scenario.environment_file, scenario.device_folder, kept=keep)
            )
        finally:
            if not keep:
                console.print("\nEnding all parts ...")
                scenario.stack.down()
    raise typer.Exit(ExitStatus.OK if as_it_should else ExitStatus.FAILED)


def _play(scenario: Scenario) -> bool:
    console = scenario.console
    console.print("Starting broker, content store, API, worker, scheduler and Flower ...")
    operator = scenario.start()
    scenario.publish(operator)
    devices = scenario.enroll(operator)
    scenario.assign(operator)
    console.print()
    with client_of(operator) as client:
        return show_summary(console, watch(console, client, devices))


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the demo."""
    typer.run(demo)
    sys.exit()
