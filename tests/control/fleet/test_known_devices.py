"""Devices' keys are kept for some seconds: one look into the database for many requests, none of it out of date."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import event

from contract.uplink import ORDERS_PATH
from control.database.tables import Device, Role
from control.fleet.known_devices import KEPT_SECONDS, KnownDevices
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]


@pytest.fixture
def looks(plane: Plane) -> list[str]:
    """The statements that ask for devices."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM devices" in statement:
            asked.append(statement)

    event.listen(plane.services.database.engine, "before_cursor_execute", note)
    return asked


@pytest.fixture
def devices(plane: Plane) -> KnownDevices:
    return KnownDevices(plane.services.database, plane.clock)


def found(devices: KnownDevices, *ids: str) -> list[bytes | None]:
    """The signing keys that are found when all are asked for at once."""

    async def find() -> list[bytes | None]:
        answers = await asyncio.gather(*(devices.find(id_) for id_ in ids))
        return [None if device is None else device.signing_key for device in answers]

    return asyncio.run(find())


def key_of(device: SignedDevice) -> bytes:
    return device.signer.public_key().public_bytes_raw()


def test_many_that_are_asked_for_at_once_are_each_answered(enrolled: Enrolled, devices: KnownDevices) -> None:
    one, other = enrolled("one"), enrolled("other")
    ids = [one.device_id, "nobody", other.device_id, one.device_id]
    assert found(devices, *ids) == [key_of(one), None, key_of(other), key_of(one)]


def test_requests_that_follow_each_other_need_one_look(enrolled: Enrolled, looks: list[str]) -> None:
    device = enrolled()
    looks.clear()
    for _ in range(5):
        assert device.orders() == ()
    assert len([statement for statement in looks if "signing_key" in statement]) == 1


def test_a_device_is_kept_for_a_time(plane: Plane, enrolled: Enrolled, devices: KnownDevices) -> None:
    device = enrolled()
    found(devices, device.device_id)
    plane.clock.advance(timedelta(seconds=KEPT_SECONDS - 1))
    assert devices.kept(device.device_id) is not None
    plane.clock.advance(timedelta(seconds=1))
    assert devices.kept(device.device_id) is None


def test_one_that_is_not_there_is_asked_for_each_time(plane: Plane, enrolled: Enrolled, devices: KnownDevices) -> None:
    device = enrolled()
    with plane.services.database.transaction() as session:
        session.get_one(Device, device.device_id).retired_at = plane.clock.now()
    assert found(devices, device.device_id) == [None]
    with plane.services.database.transaction() as session:
        session.get_one(Device, device.device_id).retired_at = None
    assert found(devices, device.device_id) == [key_of(device)]


@pytest.mark.parametrize("everyone", [False, True])
def test_what_is_forgotten_is_asked_for_anew(enrolled: Enrolled, devices: KnownDevices, *, everyone: bool) -> None:
    device = enrolled()
    found(devices, device.device_id)
    if everyone:
        devices.forget_all()
    else:
        devices.forget(device.device_id)
    assert devices.kept(device.device_id) is None


def test_what_was_read_before_it_was_forgotten_is_not_kept(
    enrolled: Enrolled, devices: KnownDevices, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = enrolled()
    look_up = devices._calls._together

    def retired_meanwhile(ids: list[str]) -> object:
        answer = look_up(ids)
        devices.forget(device.device_id)
        return answer

    monkeypatch.setattr(devices._calls, "_together", retired_meanwhile)
    assert found(devices, device.device_id) == [key_of(device)]
    assert devices.kept(device.device_id) is None


def test_who_enrols_in_the_place_of_another_device_has_that_one_asked_for_anew(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, operator: Callable[[Role], dict[str, str]]
) -> None:
    device = enrolled()
    assert device.orders() == ()
    enrolled("another")
    assert plane.services.gate.devices.kept(device.device_id) is not None
    answer = client.post("/v1/devices/desk-1/replace", json={}, headers=operator(Role.ADMIN)).json()
    assert SignedDevice(client, "new").enroll(answer["token"]).status_code == 200
    assert plane.services.gate.devices.kept(device.device_id) is None


def test_keys_that_were_exchanged_at_another_process_are_known_at_once(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled()
    assert device.orders() == ()
    device.signer = Ed25519PrivateKey.generate()
    with plane.services.database.transaction() as session:
        session.get_one(Device, device.device_id).signing_key = key_of(device)
    assert plane.services.gate.devices.kept(device.device_id) is not None
    assert device.orders() == ()


def test_a_bad_signature_is_refused_whether_its_device_is_kept_or_not(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled()
    device.signer = Ed25519PrivateKey.generate()
    for _ in range(2):
        answer = device.request("GET", ORDERS_PATH)
        assert (answer.status_code, answer.json()["code"]) == (401, "signature-refused")
        assert plane.services.gate.devices.kept(device.device_id) is not None
