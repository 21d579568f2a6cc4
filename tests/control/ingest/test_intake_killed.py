"""A process that takes reports in is killed with SIGKILL: whatever it has acknowledged is stored."""

import json
import subprocess
import sys

import httpx
import pytest
from sqlalchemy import select

from contract.jobs import JobRef
from control.database.tables import ReportRow
from tests.control.plane import Plane, SignedDevice, report_of

_REPORTS = 400
_ACKNOWLEDGED_FIRST = 40
#: Of one acknowledgement: a pipe holds so few of them that the process cannot come to its end before it is killed.
_LINE_BYTES = 2000

_PROCESS = """
import asyncio, json, sys
from contract.clock import SystemClock
from contract.report import Report
from control.database.session import Database
from control.ingest.intake import Intake
intake = Intake(Database.at(sys.argv[1]), SystemClock())
lines = iter(json.load(sys.stdin))
async def take():
    for line in lines:
        report = Report.from_json(line)
        await intake.take(report.device_id, report)
        sys.stdout.write(f"{report.sequence:{sys.argv[2]}}\\n")
        sys.stdout.flush()
async def take_all():
    await asyncio.gather(*(take() for _ in range(16)))
asyncio.run(take_all())
"""


@pytest.fixture
def job(either_plane: Plane) -> tuple[str, JobRef]:
    either_plane.publish()
    token = either_plane.token(group_id=either_plane.group("desks"))
    with either_plane.services.database.transaction() as session:
        request = SignedDevice(httpx.Client()).enrollment(token)
        either_plane.services.enrollment.enroll(session, request, either_plane.clock.now(), "")
    either_plane.assign("desks")
    either_plane.plan()
    ((device_id, ref),) = either_plane.dispatch()
    return device_id, ref


@pytest.mark.integration
def test_what_was_acknowledged_before_the_kill_is_stored(either_plane: Plane, job: tuple[str, JobRef]) -> None:
    device_id, ref = job
    reports = [report_of(ref, device_id, sequence=number).to_json() for number in range(1, _REPORTS + 1)]
    url = either_plane.services.settings.database_url.get_secret_value()
    command = [sys.executable, "-c", _PROCESS, url, str(_LINE_BYTES)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(reports))
        process.stdin.close()
        acknowledged = {int(process.stdout.readline()) for _ in range(_ACKNOWLEDGED_FIRST)}
        process.kill()
        acknowledged |= {int(line) for line in process.stdout if line.endswith("\n")}
    with either_plane.services.database.snapshot() as session:
        stored = set(session.scalars(select(ReportRow.sequence)))
    assert acknowledged <= stored
    assert len(stored) < _REPORTS, "it was killed in the middle of its work"
