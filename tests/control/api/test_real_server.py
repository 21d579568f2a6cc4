"""The API behind a real server: uploads that are cut off, bodies without end, many devices at once."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from contract.jobs import JobRef
from contract.uplink import MAX_BODY_BYTES, REPORTS_PATH
from control.answers.job_filter import JobFilter
from control.answers.jobs import list_jobs
from control.answers.moment import this_moment
from control.answers.pages import PageRequest
from control.api.app import create_app
from control.database.tables import Package, Role
from deploy.local.polling import wait_until
from tests.control.plane import Plane, SignedDevice, progress_of, report_of
from tests.support.served import served

pytestmark = pytest.mark.integration

Headers = Callable[[Role], dict[str, str]]

DEVICES = 12


@pytest.fixture
def server(plane: Plane) -> Iterator[str]:
    """The address of the API, served by uvicorn in a thread of this process."""
    with served(create_app(plane.services)) as address:
        yield address


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads are kept while they come."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_an_upload_that_is_cut_off_leaves_nothing(plane: Plane, server: str, uploads: Path, operator: Headers) -> None:
    data = plane.package.read_bytes()
    token = operator(Role.OPERATOR)["Authorization"]
    host, _, port = server.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /v1/packages HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data[:-10])
        assert wait_until(lambda: any(uploads.iterdir()), seconds=10), "the upload is being received"
    assert wait_until(lambda: not any(uploads.iterdir()), seconds=10)
    assert list(plane.store.keys()) == []
    with plane.services.database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Package)) == 0


def test_an_upload_leaves_no_file_behind(plane: Plane, server: str, uploads: Path, operator: Headers) -> None:
    content, headers = plane.package.read_bytes(), operator(Role.OPERATOR)
    response = httpx.post(f"{server}/v1/packages", content=content, headers=headers, timeout=30)
    assert response.status_code == 200
    assert wait_until(lambda: not any(uploads.iterdir()), seconds=10)


def test_a_body_without_end_is_refused_when_it_is_too_long(server: str) -> None:
    host, _, port = server.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(f"POST {REPORTS_PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(MAX_BODY_BYTES // 0x10000 + 1):
            connection.sendall(piece)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_many_devices_at_once_are_served_and_none_is_lost(plane: Plane, server: str) -> None:
    plane.publish()
    token = plane.token(group_id=plane.group("desks"), uses=DEVICES)
    plane.assign("desks")

    def join(number: int) -> SignedDevice:
        device = SignedDevice(httpx.Client(base_url=server, timeout=30), f"desk-{number}")
        assert device.enroll(token).status_code == 200
        assert device.check_in().status_code == 200
        return device

    with ThreadPoolExecutor(DEVICES) as pool:
        devices = {device.device_id: device for device in pool.map(join, range(DEVICES))}
        sent = plane.dispatch()
        assert {device_id for device_id, _ in sent} == devices.keys()

        def work(parcel: tuple[str, JobRef]) -> None:
            device_id, ref = parcel
            assert devices[device_id].progress(progress_of(ref)).status_code == 200
            assert devices[device_id].report(report_of(ref, device_id)).status_code == 200

        list(pool.map(work, sent))
    with plane.services.database.snapshot() as session:
        jobs = list_jobs(session, JobFilter(app="Editor"), this_moment(plane.services), PageRequest())
        outcomes = [job.outcome for job in jobs.items]
    assert outcomes == ["installed"] * DEVICES
    for device in devices.values():
        device.client.close()
