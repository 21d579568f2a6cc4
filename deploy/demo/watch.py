"""The live table: each device's phase and progress, until every job has ended."""

import time
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.live import Live

from contract.error_codes import ErrorCode
from contract.errors import OutriderError
from control.cli.tables import status_table
from control.client import ControlClient
from deploy.demo.devices import DEVICES
from deploy.demo.scenario import jobs_of
from deploy.demo.verdict import has_ended

#: How often the table is drawn anew.
_REFRESH_SECONDS = 0.25
#: A job that takes longer than this will not end during the demo.
PATIENCE = timedelta(seconds=90)


def watch(console: Console, client: ControlClient) -> None:
    """Show the jobs until each device's has ended.

    Raises:
        OutriderError: One has not ended in time.
    """
    deadline = time.monotonic() + PATIENCE.total_seconds()
    with Live(console=console, auto_refresh=False) as live:
        while True:
            jobs = jobs_of(client)
            live.update(status_table(jobs.values(), datetime.now(UTC)), refresh=True)
            if len(jobs) == len(DEVICES) and all(map(has_ended, jobs.values())):
                return
            if time.monotonic() > deadline:
                late = [
                    device.name for device in DEVICES if device.name not in jobs or not has_ended(jobs[device.name])
                ]
                detail = f"not ended after {PATIENCE.total_seconds():g} s; the devices' logs say more"
                raise OutriderError(ErrorCode.STACK_FAILED, place=", ".join(late), detail=detail)
            time.sleep(_REFRESH_SECONDS)
