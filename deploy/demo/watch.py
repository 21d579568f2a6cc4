"""The live table: each device's phase and progress, until every job has ended and all of it is told."""

import time
from collections.abc import Mapping
from datetime import timedelta

from rich.console import Console
from rich.live import Live
from rich.table import Table

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from contract.phases import PHASES
from control.client.control_client import ControlClient
from control.views.jobs import JobDetail
from deploy.demo.devices import DEVICES
from deploy.demo.scenario import job_details
from deploy.demo.verdict import is_told

#: How often the table is drawn anew.
_REFRESH_SECONDS = 0.2
#: A job that takes longer than this will not end during the demo.
PATIENCE = timedelta(seconds=90)


def watch(console: Console, client: ControlClient, devices: Mapping[str, str]) -> dict[str, JobDetail]:
    """Show the jobs until each device's has ended.

    Args:
        console: Where to.
        client: An operator's.
        devices: The devices' ids by their names.

    Returns:
        Each device's job, by the device's name.

    Raises:
        OutriderError: One has not ended in time.
    """
    deadline = time.monotonic() + PATIENCE.total_seconds()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            jobs = job_details(client, devices)
            live.update(_table(jobs), refresh=True)
            late = [device.name for device in DEVICES if device.name not in jobs or not is_told(jobs[device.name])]
            if not late:
                return jobs
            if time.monotonic() > deadline:
                detail = f"not ended after {PATIENCE.total_seconds():g} s; the devices' logs say more"
                raise OutriderError(ErrorCode.STACK_FAILED, place=", ".join(late), detail=detail)
            time.sleep(_REFRESH_SECONDS)


def _table(jobs: Mapping[str, JobDetail]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("device", "state", "phase", "", "fetched", "outcome"):
        table.add_column(heading, no_wrap=True)
    for device in DEVICES:
        job = jobs.get(device.name)
        table.add_row(device.name, *(("not planned yet",) if job is None else _cells(job)))
    return table


def _cells(job: JobDetail) -> tuple[str, ...]:
    done = job.phase.position if job.phase else 0
    bar = "━" * done + "[dim]" + "─" * (len(PHASES) - done) + "[/]"
    fetched = f"{job.bytes_done / job.bytes_total:.0%}" if job.bytes_total else ""
    exit_code = "" if job.raw_exit_code is None else f" ({job.raw_exit_code})"
    return job.state, job.phase or "", bar, fetched, f"{job.outcome or ''}{exit_code}"
