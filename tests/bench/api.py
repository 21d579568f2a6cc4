"""What requests of devices cost the API's process: a real one with its real broker, store and database.

The baseline is a FastAPI route of the same shape that does nothing, behind uvicorn, asked with the same requests in
turns with ours. Requests come from many devices, several at a time, as they do from a fleet.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import httpx

from contract.jobs import JobRef
from contract.uplink import (
    CHECK_IN_PATH,
    CONTENT_INFO_PATH,
    POLICY_PATH,
    PROGRESS_PATH,
    REPORTS_PATH,
    CheckIn,
    CheckInReason,
    ProgressBatch,
)
from control.views.access import EnrollmentTokenRequest
from deploy.local.polling import wait_until
from deploy.local.ports import HOST
from tests.bench.api_baseline import Server, route_that_does_nothing
from tests.bench.cpu_clock import cpu_seconds
from tests.bench.databases import for_whole_sites
from tests.bench.row import Row, Unit
from tests.bench.signed_requests import signed_request
from tests.control.plane import FACTS, SignedDevice, progress_of, report_of
from tests.faults.apps import Pace, publish, upload_package
from tests.faults.site import PATIENT, Site, running_site

#: Times of a route that does nothing.
AIM = 3.0

_DEVICES, _QUICK_DEVICES = 400, 100
#: Requests under way at a time.
_AT_ONCE = 16
_PLANNED_SECONDS = 120
_ANSWER_SECONDS = 60
_MILLISECONDS = 1e3
_AREA = "api"
_GROUP = "desks"


@dataclass(frozen=True)
class _Kind:
    """One kind of request.

    Attributes:
        of_job: The method, path and body for a job of a device.
        aim: Times of a route that does nothing, at most.
    """

    name: str
    of_job: Callable[[JobRef, SignedDevice], tuple[str, str, str]]
    aim: float | None = None


def _check_in(_job: JobRef, _device: SignedDevice) -> tuple[str, str, str]:
    return "POST", CHECK_IN_PATH, CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS).to_json()


def _policy(job: JobRef, _device: SignedDevice) -> tuple[str, str, str]:
    return "GET", f"{POLICY_PATH.format(job_id=job.job_id)}?generation=1", ""


def _content_info(job: JobRef, _device: SignedDevice) -> tuple[str, str, str]:
    return "POST", f"{CONTENT_INFO_PATH.format(job_id=job.job_id)}?generation=1", ""


def _progress(job: JobRef, _device: SignedDevice) -> tuple[str, str, str]:
    return "POST", PROGRESS_PATH, ProgressBatch(items=(progress_of(job),)).to_json()


def _report(job: JobRef, device: SignedDevice) -> tuple[str, str, str]:
    return "POST", REPORTS_PATH, report_of(job, device.device_id).to_json()


#: In the order in which a job's requests come.
_KINDS = (
    _Kind("check-in", _check_in, AIM),
    _Kind("policy", _policy),
    _Kind("content info", _content_info, AIM),
    _Kind("progress", _progress),
    _Kind("report", _report, AIM),
)


def rows(quick: bool) -> Iterator[Row]:
    """Each kind of request, on SQLite and, in the full run, on PostgreSQL."""
    devices = _QUICK_DEVICES if quick else _DEVICES
    for name, opened in for_whole_sites(quick=quick).items():
        with opened() as url, tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder:
            yield from _on(Path(folder), url, devices, name)


def _on(folder: Path, database_url: str, devices: int, database: str) -> Iterator[Row]:
    # Its devices process nothing: what they were sent must not be sent anew meanwhile.
    patient = running_site(folder, database_url=database_url, silence=PATIENT)
    with patient as site, route_that_does_nothing() as nothing:
        ours = Server(site.parts["api"].process, f"http://{HOST}:{site.addresses.ports['api']}")
        jobs = _jobs(site, ours.address, devices, folder)
        for kind in _KINDS:
            baseline = [_cost(nothing, kind, jobs[::2])]
            cost = _cost(ours, kind, jobs)
            baseline.append(_cost(nothing, kind, jobs[1::2]))
            name = f"{kind.name}, {database}"
            yield Row(_AREA, name, cost, mean(baseline), kind.aim, unit=Unit.CPU_MILLISECONDS)


def _jobs(site: Site, address: str, devices: int, folder: Path) -> list[tuple[JobRef, SignedDevice]]:
    """A job of one app for each of so many devices."""
    site.client.create_group(_GROUP)
    request = EnrollmentTokenRequest(group=_GROUP, uses=devices)
    token = site.client.create_enrollment_token(request).token
    by_id: dict[str, SignedDevice] = {}
    with httpx.Client(base_url=address) as client:
        for number in range(devices):
            device = SignedDevice(client, f"desk-{number}")
            device.enroll(token).raise_for_status()
            by_id[device.device_id] = device
    publish(site.client, upload_package(site.client, folder / "package"), "editor", _GROUP, Pace())
    assert wait_until(lambda: len(list(site.client.status())) == devices, seconds=_PLANNED_SECONDS), "not planned"
    return [(JobRef(job_id=job.id, generation=1, attempt=1), by_id[job.device_id]) for job in site.client.status()]


def _cost(server: Server, kind: _Kind, jobs: Sequence[tuple[JobRef, SignedDevice]]) -> float:
    """Milliseconds of the server's CPU for one request."""
    requests = []
    for job, device in jobs:
        method, path, body = kind.of_job(job, device)
        requests.append(signed_request(device, server.address + path, method, body))
    before = cpu_seconds(server.process.pid)
    asyncio.run(_send(requests))
    return (cpu_seconds(server.process.pid) - before) / len(requests) * _MILLISECONDS


async def _send(requests: Sequence[httpx.Request]) -> None:
    waiting = iter(requests)
    async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:

        async def send_on() -> None:
            for request in waiting:
                (await client.send(request)).raise_for_status()

        await asyncio.gather(*(send_on() for _ in range(_AT_ONCE)))
