"""What the demo shows at the end: outcomes, time per phase, and where to look next."""

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from contract.phases import PHASES, Phase
from control.views import JobDetail
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
    console.print(_outcomes(jobs))
    console.print(_phase_times(jobs))
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
        table.add_row("status", f"source {environment_file}; .venv/bin/outrider status")
        table.add_row("end it", "make down")
    else:
        table.add_row("leave it running", "make demo KEEP=1: Flower, `outrider status` and the devices stay")
    for device in DEVICES:
        table.add_row(f"log of {device.name}", str(device_folder / device.name / "state" / "logs"))
    return Group(Text("\nWhere to look next", style="bold"), table)


def _outcomes(jobs: Mapping[str, JobDetail]) -> Table:
    table = Table(title="What happened", title_justify="left", expand=False)
    for heading in ("device", "before", "outcome", "exit code", "bytes", "what next, and what to do"):
        table.add_column(heading, overflow="fold")
    for device in DEVICES:
        job = jobs[device.name]
        table.add_row(
            device.name, device.story, _outcome(device, job), _number(job.raw_exit_code), str(_bytes(job)), _advice(job)
        )
    return table


def _phase_times(jobs: Mapping[str, JobDetail]) -> Table:
    table = Table(title="Seconds per phase", title_justify="left")
    table.add_column("device")
    for phase in PHASES:
        table.add_column(phase.value, justify="right")
    for device in DEVICES:
        seconds = {record.phase: record.duration_seconds for record in jobs[device.name].phases}
        table.add_row(device.name, *(f"{seconds[phase]:.2f}" if phase in seconds else "" for phase in PHASES))
    return table


def _outcome(device: DemoDevice, job: JobDetail) -> str:
    colour = "red" if shortcomings(device, job) else "green" if device.outcome.as_desired else "yellow"
    return f"[{colour}]{job.outcome or '-'}[/]"


def _advice(job: JobDetail) -> str:
    return "\n".join(line for line in (job.error_detail, job.hint, job.next_action) if line)


def _bytes(job: JobDetail) -> int:
    return sum(record.bytes_done for record in job.phases if record.phase is Phase.DOWNLOAD)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
