"""What is changed and the entry about it stand in one transaction, or neither does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import Connection, event, select

from contract.jobs import JobState
from contract.uplink import KEYS_PATH, KeyRotation, rotation_message
from control.database.tables import Device, EnrollmentToken, Job, Package, Role
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]


@contextmanager
def audit_cut_off(plane: Plane) -> Iterator[None]:
    """Have every entry of the log fail, as when the process is killed there."""

    def cut_off(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO audit_entries"):
            raise RuntimeError("cut off")

    event.listen(plane.services.database.engine, "before_cursor_execute", cut_off)
    try:
        yield
    finally:
        event.remove(plane.services.database.engine, "before_cursor_execute", cut_off)


def entries(client: httpx.Client, operator: Headers, action: str) -> list[dict[str, object]]:
    found = client.get("/v1/audit", headers=operator(Role.ADMIN)).json()["items"]
    return [entry for entry in found if entry["action"] == action]


def states(plane: Plane) -> list[JobState]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Job.state)))


@pytest.fixture
def planned(plane: Plane, enrolled: Enrolled) -> list[SignedDevice]:
    """Two devices, each with a job that is planned."""
    plane.publish()
    group_id = plane.group("desks")
    devices = [enrolled(f"desk-{number}", group_id) for number in range(2)]
    plane.assign("desks")
    plane.plan()
    return devices


@pytest.mark.usefixtures("planned")
def test_a_bulk_order_is_recorded_with_the_jobs_it_changed(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    body = {"selection": {"app": "Editor"}}
    assert client.post("/v1/jobs/cancel", json=body, headers=operator(Role.OPERATOR)).status_code == 200
    with plane.services.database.snapshot() as session:
        ids = set(session.scalars(select(Job.id)))
    (entry,) = entries(client, operator, "jobs.cancel")
    after = entry["after"]
    assert isinstance(after, dict)
    assert (set(after["changed"]), after["changes"]) == (ids, {"cancelled": 2})


@pytest.mark.usefixtures("planned")
def test_an_order_that_changes_nothing_or_is_only_tried_is_not_recorded(
    client: httpx.Client, operator: Headers
) -> None:
    headers = operator(Role.OPERATOR)
    dry = {"selection": {"app": "Editor"}, "dry_run": True}
    assert client.post("/v1/jobs/cancel", json=dry, headers=headers).json()["changes"] == {"cancelled": 2}
    for _ in range(2):
        client.post("/v1/jobs/cancel", json={"selection": {"app": "Editor"}}, headers=headers)
    assert len(entries(client, operator, "jobs.cancel")) == 1


@pytest.mark.usefixtures("planned")
def test_an_order_that_cannot_be_recorded_is_not_carried_out(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    headers = operator(Role.OPERATOR)
    with audit_cut_off(plane):
        answer = client.post("/v1/jobs/cancel", json={"selection": {"app": "Editor"}}, headers=headers)
    assert answer.status_code == 500
    assert set(states(plane)) == {JobState.PLANNED}


def test_a_package_is_recorded_when_it_becomes_known_and_only_then(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    headers, content = operator(Role.OPERATOR), plane.package.read_bytes()
    with audit_cut_off(plane):
        assert client.post("/v1/packages", content=content, headers=headers).status_code == 500
    with plane.services.database.snapshot() as session:
        assert session.scalar(select(Package.digest)) is None
    for _ in range(2):
        assert client.post("/v1/packages", content=content, headers=headers).status_code == 200
    assert len(entries(client, operator, "package.upload")) == 1


def test_an_enrolment_is_recorded_with_its_token_and_so_is_its_repetition(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    token, device = plane.token(), SignedDevice(client)
    for _ in range(2):
        assert device.enroll(token).status_code == 200
    with plane.services.database.snapshot() as session:
        token_id = session.scalars(select(EnrollmentToken.id)).one()
    found = entries(client, operator, "device.enroll")
    assert [entry["after"] for entry in found] == [
        {"name": "desk-1", "token": token_id, "again": again} for again in (False, True)
    ]
    assert {(entry["actor"], entry["target"]) for entry in found} == {(f"device {device.device_id}", device.device_id)}


def test_an_enrolment_that_cannot_be_recorded_leaves_no_device(plane: Plane, client: httpx.Client) -> None:
    token = plane.token()
    with audit_cut_off(plane):
        assert SignedDevice(client).enroll(token).status_code == 500
    with plane.services.database.snapshot() as session:
        assert session.scalar(select(Device.id)) is None
    assert SignedDevice(client).enroll(token).status_code == 200


def test_an_exchange_of_keys_is_recorded_with_both_public_keys(
    client: httpx.Client, enrolled: Enrolled, operator: Headers
) -> None:
    device, new = enrolled(), SignedDevice(client)
    signing_key = new.signer.public_key().public_bytes_raw()
    sealing_key = new.unsealer.public_key().public_bytes_raw()
    proof = new.signer.sign(rotation_message(device.device_id, signing_key, sealing_key))
    body = KeyRotation(signing_key=signing_key, sealing_key=sealing_key, proof=proof).to_json().encode()
    assert device.request("POST", KEYS_PATH, body).status_code == 200
    (entry,) = entries(client, operator, "device.rotate-keys")
    before = device.signer.public_key().public_bytes_raw()
    assert (entry["before"], entry["after"]) == ({"signing_key": before.hex()}, {"signing_key": signing_key.hex()})


def test_a_replacement_is_recorded_as_the_retirement_of_the_old_device(
    client: httpx.Client, enrolled: Enrolled, operator: Headers
) -> None:
    old, new = enrolled(), SignedDevice(client, "new")
    answer = client.post("/v1/devices/desk-1/replace", json={}, headers=operator(Role.ADMIN)).json()
    new.enroll(answer["token"])
    (entry,) = entries(client, operator, "device.retire")
    assert (entry["target"], entry["after"]) == (old.device_id, {"replaced_by": new.device_id})
    assert entry["actor"] == f"device {new.device_id}"
