"""New users of the broker are saved together, and none is lost by a broker or an API that ends before."""

from pathlib import Path

import httpx
import pytest
import redis

from contract.errors import UnavailableError
from contract.queues import device_broker_user
from control.database.tables import Device
from control.fleet.broker_users import RedisBrokerUsers, secret_hash
from control.fleet.saving_users import save_new_users, saving_users
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.control.plane import Plane, SignedDevice
from tests.support.broker import let_tester_in, url_of_tester
from tests.support.servers import running


def enrolled(plane: Plane, name: str = "desk-1") -> SignedDevice:
    """A device let in without an API, whose own thread would save it."""
    device = SignedDevice(httpx.Client(), name)
    with plane.services.database.transaction() as session:
        request = device.enrollment(plane.token())
        device.reply = plane.services.enrollment.enroll(session, request, plane.clock.now(), "")
    device.device_id = device.reply.device_id
    return device


def saved_now(plane: Plane) -> int:
    return save_new_users(plane.services.database, plane.services.enrollment)


def test_new_users_are_saved_together_and_once(plane: Plane) -> None:
    devices = [enrolled(plane, name) for name in ("one", "two", "three")]
    assert plane.broker_users.saved == {}
    assert saved_now(plane) == 3
    secrets = {device.device_id: device.reply.broker_secret for device in devices if device.reply is not None}
    assert plane.broker_users.saved == {id_: secret_hash(secret) for id_, secret in secrets.items()}
    assert saved_now(plane) == 0


def test_who_has_nobody_to_save_waits_for_no_writer(plane: Plane) -> None:
    with plane.services.database.transaction() as session:
        session.connection()
        assert saved_now(plane) == 0


def test_a_broker_that_is_away_is_told_when_it_is_back(plane: Plane) -> None:
    device = enrolled(plane)
    plane.broker_users.down = True
    with pytest.raises(UnavailableError):
        saved_now(plane)
    plane.broker_users.down = False
    assert saved_now(plane) == 1
    assert device.device_id in plane.broker_users.saved


def test_a_device_that_was_retired_before_is_not_let_in_again(plane: Plane) -> None:
    gone = enrolled(plane)
    with plane.services.database.transaction() as session:
        session.get_one(Device, gone.device_id).retired_at = plane.clock.now()
    assert saved_now(plane) == 1
    assert plane.broker_users.saved == {}


@pytest.mark.integration
def test_a_broker_that_was_killed_before_the_save_knows_its_new_devices_again(plane: Plane, tmp_path: Path) -> None:
    folder, port, secrets = tmp_path / "broker", find_free_port(), StackSecrets()
    let_tester_in(folder)
    users = RedisBrokerUsers(f"redis://{BrokerUser.FLEET}:{secrets.broker[BrokerUser.FLEET]}@{HOST}:{port}/0")
    enrollment = plane.use_broker_users(users)
    with running(broker_part(folder, port, secrets), folder):
        device = enrolled(plane)
        assert is_let_in(device, port)
    with running(broker_part(folder, port, secrets), folder):
        assert not is_let_in(device, port)
        upkeep = saving_users(plane.services.database, enrollment, interval_seconds=0.05)
        upkeep.start()
        assert wait_until(lambda: is_let_in(device, port), seconds=60)
        upkeep.stop()
    with running(broker_part(folder, port, secrets), folder):
        assert is_let_in(device, port)


def is_let_in(device: SignedDevice, port: int) -> bool:
    with redis.Redis.from_url(url_of_tester(port)) as tester:
        return device_broker_user(device.device_id) in tester.acl_users()
