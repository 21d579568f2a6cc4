"""The requests of jobs to a real API in this process: its database is a file, its broker and store are in memory."""

import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from pydantic import SecretStr

from contract.clock import ManualClock
from contract.http_signatures import SignableRequest, sign_request
from contract.jobs import JobRef
from contract.phases import PHASES
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
from control.api.app import create_app
from control.bootstrap import assemble, make_signer
from control.database.migrate import upgrade
from control.security.content_keys import ensure_key_encryption_key
from control.security.file_policy_signer import ensure_policy_key, policy_key_folder
from control.security.nonces import ProcessNonces
from control.settings import ControlSettings
from control.shards.device_brokers import DeviceBrokers
from control.shards.hashing import FIRST_SHARD
from storage.intunewin.builder import build_package
from storage.objects.memory import MemoryObjectStore
from tests.control.plane import (
    FACTS,
    MemoryDeviceQueues,
    Plane,
    RecordingBrokerUsers,
    RecordingQueue,
    SignedDevice,
    progress_of,
    report_of,
)

_BASE = "http://control.example"


@contextmanager
def requests_of_jobs(jobs: int) -> Iterator[Callable[[int, int], Coroutine[None, None, int]]]:
    """What runs the requests of so many jobs, each of another device; they are signed before.

    Yields:
        Runs the jobs from one number up to another, and tells how many requests there were.
    """
    with tempfile.TemporaryDirectory(prefix="outrider-bench-") as name, _plane(Path(name)) as plane:
        transport = httpx.ASGITransport(create_app(plane.services))

        async def run(start: int, stop: int) -> int:
            requests = [request for job in signed[start:stop] for request in job]
            async with httpx.AsyncClient(transport=transport, base_url=_BASE) as client:
                for request in requests:
                    response = await client.send(request)
                    response.raise_for_status()
            return len(requests)

        devices = _devices(plane, jobs)
        signed = [list(_of_job(devices[device_id], ref)) for device_id, ref in plane.dispatch(limit=10 * jobs)]
        yield run


@contextmanager
def _plane(folder: Path) -> Iterator[Plane]:
    """A control plane in a folder, with one app."""
    settings = ControlSettings(
        database_url=SecretStr(f"sqlite:///{folder}/control.db"),
        broker_url=SecretStr("redis://broker.example"),
        s3_endpoint="http://store.example",
        s3_access_key="key",
        s3_secret_key=SecretStr("secret"),
        state_dir=folder / "state",
    )
    ensure_policy_key(policy_key_folder(settings.state_dir))
    ensure_key_encryption_key(settings.state_dir)
    clock, queue, users = ManualClock(datetime.now(UTC)), RecordingQueue(), RecordingBrokerUsers()
    store = MemoryObjectStore(clock=clock)
    services = assemble(
        settings,
        clock=clock,
        store=store,
        signer=make_signer(settings),
        brokers=DeviceBrokers({FIRST_SHARD: users}, {FIRST_SHARD: MemoryDeviceQueues()}),
        nonces=ProcessNonces(clock),
        queue=queue,
    )
    with closing(services.database):
        upgrade(services.database)
        source = folder / "source"
        source.mkdir()
        (source / "install.sh").write_text("true\n", encoding="utf-8")
        package = build_package(source, "install.sh", folder).path
        plane = Plane(services, clock, store, users, queue, package)
        plane.publish_keys()
        plane.publish()
        yield plane


def _devices(plane: Plane, count: int) -> dict[str, SignedDevice]:
    token = plane.token(group_id=plane.group("desks"), uses=count)
    devices = {}
    for number in range(count):
        device = SignedDevice(httpx.Client(), f"desk-{number}")
        with plane.services.database.transaction() as session:
            reply = plane.services.enrollment.enroll(session, device.enrollment(token), plane.clock.now(), "")
        device.device_id = reply.device_id
        devices[device.device_id] = device
    plane.assign("desks")
    plane.plan()
    return devices


def _of_job(device: SignedDevice, ref: JobRef) -> Iterator[httpx.Request]:
    check_in = CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS)
    yield _signed(device, "POST", CHECK_IN_PATH, check_in.to_json())
    yield _signed(device, "GET", POLICY_PATH.format(job_id=ref.job_id))
    yield _signed(device, "POST", CONTENT_INFO_PATH.format(job_id=ref.job_id))
    for number, phase in enumerate(PHASES[:-1], 1):
        batch = ProgressBatch(items=(progress_of(ref, phase, sequence=number),))
        yield _signed(device, "POST", PROGRESS_PATH, batch.to_json())
    yield _signed(device, "POST", REPORTS_PATH, report_of(ref, device.device_id).to_json())


def _signed(device: SignedDevice, method: str, path: str, body: str = "") -> httpx.Request:
    request = httpx.Request(method, f"{_BASE}{path}", content=body.encode())
    signable = SignableRequest(method, str(request.url), request.headers)
    sign_request(signable, body.encode(), key=device.signer, key_id=device.device_id, now=datetime.now(UTC))
    return request
