"""`outrider simulate`: a fleet that is not there."""

import signal
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.live import Live
from rich.table import Table

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.cli.connection import connect
from control.cli.options import STATUSES, Json, parse_duration
from control.cli.output import handled, print_json
from control.client.control_client import ControlClient
from control.views.access import EnrollmentTokenRequest
from deploy.simulation.fleet import FleetFile
from deploy.simulation.script import FleetScript
from deploy.simulation.simulation import Simulation, running
from deploy.simulation.standing import Standing

simulate_app = typer.Typer()

_TELL_SECONDS = 0.5


@simulate_app.command("simulate", epilog=STATUSES)
def simulate(
    devices: Annotated[int, typer.Option("--devices", "-n", min=1, help="How many devices.")],
    group: Annotated[str | None, typer.Option("--group", "-g", help="The group they enrol into.")] = None,
    folder: Annotated[Path, typer.Option(help="Where their identities are kept for the next time.")] = Path(
        ".outrider/simulation"
    ),
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the devices.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed makes the same fleet.")] = 0,
    name: Annotated[str, typer.Option(help="Devices are called NAME-00001 and so on.")] = "sim",
    arrival: Annotated[str, typer.Option(metavar="DURATION", help="Devices appear evenly over this time.")] = "0s",
    failing: Annotated[float, typer.Option(min=0, max=1, help="Share of devices whose installers fail.")] = 0,
    flaky: Annotated[float, typer.Option(min=0, max=1, help="Share on which the first attempt fails.")] = 0,
    only_revision: Annotated[int | None, typer.Option(min=1, help="Installers fail for this revision only.")] = None,
    exit_code: Annotated[int, typer.Option(min=1, help="What a failing installer ends with.")] = 1603,
    away: Annotated[float, typer.Option(min=0, max=1, help="Share that is switched off at first.")] = 0,
    away_for: Annotated[str, typer.Option(metavar="DURATION", help="For how long.")] = "0s",
    install: Annotated[str, typer.Option(metavar="LEAST-MOST", help="What an installer takes, in seconds.")] = "0-0",
    windows: Annotated[float, typer.Option(min=0, max=1, help="Share that runs Windows, not Linux.")] = 0,
    lasting: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="End after this time.")] = None,
    as_json: Json = False,
) -> None:
    """Simulate a fleet against a real control plane, until Ctrl-C.

    Each device is enrolled, checks in, takes its jobs from the broker, fetches policies and content, and reports, as an
    agent does and with an agent's own engine; only detection and installers are made up.

    Example: outrider simulate -n 1000 -g desks --failing 0.02 --install 1-20 --for 10m
    """
    signal.signal(signal.SIGTERM, _interrupt)
    with handled(as_json=as_json):
        fleet = _fleet(
            devices=devices,
            seed=seed,
            name=name,
            arrival_seconds=_seconds(arrival),
            failing=failing,
            flaky=flaky,
            only_revision=only_revision,
            exit_code=exit_code,
            away=away,
            away_seconds=_seconds(away_for),
            install_seconds=_span(install),
            windows=windows,
        )
        ends_after = None if lasting is None else parse_duration(lasting).total_seconds()
        folder.mkdir(parents=True, exist_ok=True)
        with connect() as client:
            url, token = str(client.http.base_url), _token(client, fleet, FleetFile(folder), group)
        with running(folder, fleet, processes, [url], token) as simulation:
            standing = _watch(simulation, fleet, ends_after, quiet=as_json)
        if as_json:
            print_json({"devices": fleet.devices, "present": standing.present, "outcomes": dict(standing.outcomes)})


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _fleet(**facts: object) -> FleetScript:
    try:
        return FleetScript.model_validate(facts)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(map(str, problem["loc"])) or "--install"
        raise InputError(ErrorCode.DOCUMENT_INVALID, place=place, detail=problem["msg"]) from error


def _seconds(text: str) -> float:
    return 0 if text == "0s" else parse_duration(text).total_seconds()


def _span(text: str) -> tuple[float, float]:
    try:
        least, _, most = text.partition("-")
        return float(least), float(most or least)
    except ValueError:
        raise typer.BadParameter(f"expected seconds such as 1-20; found {text!r}") from None


def _token(client: ControlClient, fleet: FleetScript, file: FleetFile, group: str | None) -> str:
    """One that enrols the devices that are not enrolled; empty where all are."""
    known = file.names()
    missing = sum(fleet.name_of(number) not in known for number in range(1, fleet.devices + 1))
    if not missing:
        return ""
    return client.create_enrollment_token(EnrollmentTokenRequest(group=group, uses=missing)).token


def _watch(simulation: Simulation, fleet: FleetScript, ends_after: float | None, *, quiet: bool) -> Standing:
    began, standing = time.monotonic(), Standing()
    with Live(console=Console(stderr=True), auto_refresh=False) as live:
        try:
            while ends_after is None or time.monotonic() - began < ends_after:
                time.sleep(_TELL_SECONDS)
                standing = simulation.standing()
                if not quiet:
                    live.update(_table(standing, fleet), refresh=True)
        except KeyboardInterrupt:
            # That is how one ends it.
            return standing
    return standing


def _table(standing: Standing, fleet: FleetScript) -> Table:
    table = Table("devices", "enrolled", "present", *sorted(standing.outcomes))
    counts = (str(standing.outcomes[word]) for word in sorted(standing.outcomes))
    table.add_row(str(fleet.devices), str(standing.enrolled), str(standing.present), *counts)
    return table
