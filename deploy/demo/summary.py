"""What the demo shows at the end: outcomes, time per phase, and where to look next."""

import os
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract.phases import PHASES, Phase
from control.views.jobs import JobDetail
from deploy.demo.devices import DEVICES, DemoDevice
from deploy.demo.verdict import shortcomings
from deploy.local.addresses import StackAddresses


def show_summary(console: Console, jobs: Mapping[str, JobDetail]) -> bool:
    """Print the outcomes and the time per phase.

    Args:
        console: Where to.
        jobs: Each device's job, by the device's name.

    Returns:
        Whether each device ended as it should.
    """
    console.print()
    for part in (_outcomes(jobs), _advice(jobs), "", _phase_times(jobs)):
        console.print(part)
    problems = [(device, problem) for device in DEVICES for problem in shortcomings(device, jobs[device.name])]
    for device, problem in problems:
        console.print(f"[red]{device.name}: {problem}[/]")
    console.print("[green]Each device ended as it should.[/]" if not problems else "[red]Not as it should be.[/]")
    return not problems


def where_to_look(
    addresses: StackAddresses, environment_file: Path, device_folder: Path, *, kept: bool
) -> RenderableType:
    """Where the curious go on."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    if kept:
        table.add_row("Flower", f"{addresses.flower_url}  ({addresses.flower_user} / {addresses.flower_password})")
        table.add_row("API", f"{addresses.api_url}/docs")
        table.add_row("status", f"source {os.path.relpath(environment_file)}; .venv/bin/outrider status")
        table.add_row("end it", "make down")
    else:
        table.add_row("again", "make demo KEEP=1 leaves Flower, `outrider status` and the devices running")
    for device in DEVICES:
        logs = os.path.relpath(device_folder / device.name / "state" / "logs")
        table.add_row(f"log of {device.name}", logs)
    return Group(Text("\nWhere to look next", style="bold"), table)


def _outcomes(jobs: Mapping[str, JobDetail]) -> Table:
    table = Table(title="What happened", title_justify="left")
    table.add_column("device", no_wrap=True)
    table.add_column("before", ratio=1)
    table.add_column("outcome", no_wrap=True)
    table.add_column("exit code", justify="right")
    table.add_column("bytes", justify="right")
    for device in DEVICES:
        job = jobs[device.name]
        table.add_row(device.name, device.story, _outcome(device, job), _number(job.raw_exit_code), str(_bytes(job)))
    return table


def _advice(jobs: Mapping[str, JobDetail]) -> Table:
    """For each device that is not as desired: what went wrong, what to do, what happens by itself."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for device in DEVICES:
        job = jobs[device.name]
        lines = {"error": _error(job), "hint": job.hint, "next": job.next_action}
        for number, (word, line) in enumerate((word, line) for word, line in lines.items() if line):
            table.add_row("" if number else device.name, word, line)
    return table


def _phase_times(jobs: Mapping[str, JobDetail]) -> Table:
    table = Table(title="Seconds per phase", title_justify="left")
    table.add_column("phase")
    for device in DEVICES:
        table.add_column(device.name, justify="right", no_wrap=True)
    taken = [
        {record.phase: f"{record.duration_seconds:.3f}" for record in jobs[device.name].phases} for device in DEVICES
    ]
    for phase in PHASES:
        table.add_row(phase.value, *(seconds.get(phase, "") for seconds in taken))
    return table


def _outcome(device: DemoDevice, job: JobDetail) -> str:
    colour = "red" if shortcomings(device, job) else "green" if device.outcome.as_desired else "yellow"
    return f"[{colour}]{job.outcome or '-'}[/]"


def _error(job: JobDetail) -> str:
    return f"{job.error_code}: {job.error_detail}" if job.error_code else ""


def _bytes(job: JobDetail) -> int:
    return sum(record.bytes_done for record in job.phases if record.phase is Phase.DOWNLOAD)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
