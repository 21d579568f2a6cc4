"""What a job costs the control plane, from its assignment to its stored report: the CPU of all its processes.

A real site with its broker, store and database; the devices are rows with keys, and their requests are signed by this
process, whose own CPU is not counted. A job that is quickly done sends no progress: policy, content, report. A control
plane runs all the time, so it has brought another app to other devices before: what is done once in the life of a
process is done then.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
from sqlalchemy import func, select

from contract.jobs import JobRef, JobState
from contract.uplink import CONTENT_INFO_PATH, POLICY_PATH, REPORTS_PATH
from control.database.session import Database
from control.database.tables import Device, GroupMember, Job
from control.fleet.groups import find_group
from deploy.local.polling import wait_until
from deploy.local.ports import HOST
from tests.bench.cpu_clock import family_cpu_seconds
from tests.bench.databases import DATABASES, for_whole_sites
from tests.bench.growth import growth
from tests.bench.row import Row, Unit
from tests.bench.signed_requests import signed_request
from tests.control.plane import FACTS, SignedDevice, report_of
from tests.faults.apps import Pace, publish, upload_package
from tests.faults.site import PATIENT, Site, running_site

#: The aim.
AIM_MILLISECONDS = 3.0

_JOBS, _QUICK_JOBS = 1000, 150
#: Requests under way at a time.
_AT_ONCE = 16
_SENT_SECONDS = 120
_ANSWER_SECONDS = 60
_MILLISECONDS = 1e3
_AREA = "control plane"

#: Devices that get another app before anything is measured; the short run, which is rough anyway, has no time for it.
_WARM_UP, _QUICK_WARM_UP, _WARM_UP_APP = 200, 0, "warm-up"

_Sent = Sequence[tuple[JobRef, SignedDevice]]


def rows(quick: bool) -> Iterator[Row]:
    """A job's cost, and how it grows with the number of jobs, on SQLite and on PostgreSQL."""
    jobs, warm_up = (_QUICK_JOBS, _QUICK_WARM_UP) if quick else (_JOBS, _WARM_UP)
    for name, opened in for_whole_sites(quick=quick).items():
        with tempfile.TemporaryDirectory(prefix="outrider-bench-") as folder, opened() as url:
            yield _job(Path(folder), url, jobs, warm_up, name)
    for name, opened in DATABASES.items():
        yield growth(name, opened, quick=quick)


def _job(folder: Path, database_url: str, jobs: int, warm_up: int, database_name: str) -> Row:
    with running_site(folder, database_url=database_url) as site:
        # Its devices process nothing: what they were sent must not be sent anew meanwhile.
        site.set_reconciler(PATIENT)
        package = upload_package(site.client, folder / "package")
        if warm_up:
            _deploy(site, package, _WARM_UP_APP, warm_up)
        parts = _deploy(site, package, "editor", jobs)
    cost = {name: seconds / jobs * _MILLISECONDS for name, seconds in parts.items()}
    split = ", ".join(f"{name} {milliseconds:.2f}" for name, milliseconds in cost.items())
    name = f"a job, from assignment to stored report, {jobs:,} jobs, {database_name}"
    return Row(_AREA, name, sum(cost.values()), extra=split, unit=Unit.CPU_MILLISECONDS, limit=AIM_MILLISECONDS)


def _deploy(site: Site, package: str, app: str, jobs: int) -> Mapping[str, float]:
    """Bring an app to so many new devices, in a group of its name; seconds of CPU by what they were for."""
    site.client.create_group(app)
    devices = _devices(site, app, jobs)
    parts = {"plan and dispatch": _cost(site, lambda: _assign(site, package, app, jobs))}
    sent = _sent(site, devices)
    for name, kind in _KINDS.items():
        requests = [kind(site, job, device) for job, device in sent]
        parts[name] = _cost(site, lambda requests=requests: asyncio.run(_send(requests)))  # type: ignore[misc]  # bound now
    return parts


def _devices(site: Site, group_name: str, count: int) -> dict[str, SignedDevice]:
    """Devices that are online and in the group, by their ids."""
    devices = {device.device_id: device for device in (_device(f"{group_name}-{number}") for number in range(count))}
    now, database = datetime.now(UTC), Database.at(site.addresses.database_url)
    try:
        with database.transaction() as session:
            group = find_group(session, group_name)
            session.add_all(_row(device, now) for device in devices.values())
            session.flush()
            session.add_all(GroupMember(group_id=group.id, device_id=one, added_at=now) for one in devices)
    finally:
        database.close()
    return devices


def _device(name: str) -> SignedDevice:
    return SignedDevice(httpx.Client(), name, device_id=str(uuid4()))


def _row(device: SignedDevice, now: datetime) -> Device:
    return Device(
        id=device.device_id,
        name=device.name,
        signing_key=device.signer.public_key().public_bytes_raw(),
        sealing_key=device.unsealer.public_key().public_bytes_raw(),
        facts=FACTS.model_dump(mode="json"),
        enrolled_with="",
        enrolled_at=now,
        last_seen_at=now,
    )


def _assign(site: Site, package: str, app: str, jobs: int) -> None:
    database = Database.at(site.addresses.database_url)
    sent = select(func.count()).select_from(Job).where(Job.state == JobState.SENT)

    def all_sent() -> bool:
        with database.snapshot() as session:
            return session.scalar(sent) == jobs

    try:
        publish(site.client, package, app, app, Pace())
        assert wait_until(all_sent, seconds=_SENT_SECONDS), "not sent"
    finally:
        database.close()


def _sent(site: Site, devices: dict[str, SignedDevice]) -> _Sent:
    database = Database.at(site.addresses.database_url)
    try:
        with database.snapshot() as session:
            theirs = select(Job.id, Job.device_id, Job.generation).where(Job.state == JobState.SENT)
            jobs = session.execute(theirs).all()
    finally:
        database.close()
    return [
        (JobRef(job_id=job_id, generation=generation, attempt=1), devices[device_id])
        for job_id, device_id, generation in jobs
    ]


def _policy(site: Site, job: JobRef, device: SignedDevice) -> httpx.Request:
    return signed_request(device, f"{_api(site)}{POLICY_PATH.format(job_id=job.job_id)}?generation=1", "GET")


def _content_info(site: Site, job: JobRef, device: SignedDevice) -> httpx.Request:
    return signed_request(device, f"{_api(site)}{CONTENT_INFO_PATH.format(job_id=job.job_id)}?generation=1", "POST")


def _report(site: Site, job: JobRef, device: SignedDevice) -> httpx.Request:
    return signed_request(device, f"{_api(site)}{REPORTS_PATH}", "POST", report_of(job, device.device_id).to_json())


_KINDS: dict[str, Callable[[Site, JobRef, SignedDevice], httpx.Request]] = {
    "policy": _policy,
    "content info": _content_info,
    "report": _report,
}


def _api(site: Site) -> str:
    return f"http://{HOST}:{site.addresses.ports['api']}"


async def _send(requests: Sequence[httpx.Request]) -> None:
    waiting = iter(requests)
    async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:

        async def send_on() -> None:
            for request in waiting:
                (await client.send(request)).raise_for_status()

        await asyncio.gather(*(send_on() for _ in range(_AT_ONCE)))


def _cost(site: Site, what: Callable[[], object]) -> float:
    """Seconds of CPU that the API, the workers and the scheduler take for something."""
    before = _computed(site)
    what()
    return _computed(site) - before


def _computed(site: Site) -> float:
    parts = [part for name, part in site.parts.items() if name not in {"broker", "store"}]
    return sum(family_cpu_seconds(part.process.pid) for part in parts)
