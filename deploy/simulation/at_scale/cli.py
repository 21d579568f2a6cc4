"""`python -m deploy.simulation.at_scale`: one rollout over many simulated devices, and what it costs."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.exit_statuses import ExitStatus
from control.cli.output import handled
from deploy.demo.scenario import fresh_folder
from deploy.simulation.at_scale.plan import RunPlan
from deploy.simulation.at_scale.result import tables
from deploy.simulation.at_scale.run import Run
from deploy.simulation.script import FleetScript

DEFAULT_FOLDER = Path(".outrider/simulate")


def simulate(
    devices: Annotated[int, typer.Option("--devices", "-n", min=3, help="How many devices.")] = 1000,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the devices.")] = 4,
    apis: Annotated[int, typer.Option(min=1, max=16, help="Processes of the API.")] = 2,
    shards: Annotated[int, typer.Option(min=1, max=16, help="Brokers that share the devices.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed makes the same fleet.")] = 0,
    failing: Annotated[float, typer.Option(min=0, max=0.9, help="Share of devices whose installers fail.")] = 0,
    install: Annotated[float, typer.Option(min=0, help="What an installer takes at most, in seconds.")] = 0,
    stall: Annotated[float, typer.Option(min=1, help="Seconds without progress after which a step has failed.")] = 600,
    folder: Annotated[Path, typer.Option(help="Everything is in here; what it held before is removed.")] = (
        DEFAULT_FOLDER
    ),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here, too.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack running.")] = False,
) -> None:
    """Enrol devices, bring an app to all of them by a rollout of three rings, and print what each part took.

    DATABASE_URL names a PostgreSQL to be used in place of SQLite; it has to be empty.

    Exit status: 0 exactly when each device's job was done once and reported.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(width=max(Console().width, 110))
    fleet = FleetScript(devices=devices, seed=seed, failing=failing, install_seconds=(0, install))
    with handled():
        if shards > 1 and os.environ.get("BROKER_URL"):
            detail = "expected it to be unset: with --shards the run starts brokers of its own"
            raise InputError(ErrorCode.SETTINGS_INVALID, place="BROKER_URL", detail=detail)
        fresh_folder(folder)
        plan = RunPlan(
            fleet=fleet,
            folder=folder.absolute(),
            processes=processes,
            apis=apis,
            shards=shards,
            stall_seconds=stall,
        )
        run = Run(plan, console)
        try:
            result = run.play()
        finally:
            if not keep:
                run.stack.down()
        console.print()
        console.print(tables(result))
        if json_file is not None:
            json_file.write_text(result.model_dump_json(indent=2) + os.linesep, encoding="utf-8")
    raise typer.Exit(ExitStatus.OK if result.is_good else ExitStatus.FAILED)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run it."""
    typer.run(simulate)
    sys.exit()
