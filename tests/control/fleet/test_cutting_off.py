"""A retired device is out at once, and out of the broker as soon as that is back."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import redis

from contract.queues import device_broker_user
from control.database.tables import Role
from control.fleet.broker_users import RedisBrokerUsers
from control.fleet.cutting_off import cut_off_retired, cutting_off
from control.fleet.devices import find_device
from control.fleet.retirement import retire
from deploy.local.broker_rules import BrokerUser
from deploy.local.polling import wait_until
from deploy.local.ports import HOST, find_free_port
from deploy.local.secret_values import StackSecrets
from deploy.local.valkey import broker_part
from tests.control.plane import Plane, SignedDevice
from tests.support.broker import let_tester_in, url_of_tester
from tests.support.servers import running

Headers = Callable[[Role], dict[str, str]]
Enrolled = Callable[..., SignedDevice]


@pytest.mark.integration
def test_a_device_retired_while_a_real_broker_is_down_is_shut_out_when_it_is_back(
    plane: Plane, make_client: Callable[[Plane], httpx.Client], operator: Headers, tmp_path: Path
) -> None:
    folder, port, secrets = tmp_path / "broker", find_free_port(), StackSecrets()
    let_tester_in(folder)
    users = RedisBrokerUsers(f"redis://{BrokerUser.FLEET}:{secrets.broker[BrokerUser.FLEET]}@{HOST}:{port}/0")
    enrollment = plane.use_broker_users(users)
    client = make_client(plane)
    device = SignedDevice(client)
    with running(broker_part(folder, port, secrets), folder):
        assert device.enroll(plane.token()).status_code == 200
    answer = client.post("/v1/devices/desk-1/retire", headers=operator(Role.ADMIN))
    assert (answer.status_code, answer.json()["cut_off_at"]) == (200, None)
    assert device.check_in().status_code == 401
    upkeep = cutting_off(plane.services.database, enrollment, plane.clock, interval_seconds=0.1)
    upkeep.start()
    try:
        with running(broker_part(folder, port, secrets), folder), redis.Redis.from_url(url_of_tester(port)) as tester:
            user = device_broker_user(device.device_id)
            assert wait_until(lambda: user not in tester.acl_users(), seconds=60)
    finally:
        upkeep.stop()
    assert cut_off_retired(plane.services.database, enrollment, plane.clock) == 0


def test_what_is_left_to_do_outlives_the_process(
    plane: Plane, enrolled: Enrolled, client: httpx.Client, operator: Headers
) -> None:
    kept, gone = enrolled("kept"), enrolled("gone")
    plane.broker_users.down = True
    client.post("/v1/devices/gone/retire", headers=operator(Role.ADMIN))
    plane.broker_users.down = False
    assert plane.broker_users.secrets.keys() == {kept.device_id, gone.device_id}
    assert cut_off_retired(plane.services.database, plane.services.enrollment, plane.clock) == 1
    assert plane.broker_users.secrets.keys() == {kept.device_id}


def test_with_a_broker_that_answers_it_is_done_before_the_answer(
    plane: Plane, enrolled: Enrolled, client: httpx.Client, operator: Headers
) -> None:
    enrolled()
    answer = client.post("/v1/devices/desk-1/retire", headers=operator(Role.ADMIN))
    assert answer.json()["cut_off_at"] is not None
    assert plane.broker_users.secrets == {}


def test_the_thread_survives_what_it_meets(plane: Plane, enrolled: Enrolled) -> None:
    enrolled()
    upkeep = cutting_off(plane.services.database, plane.services.enrollment, plane.clock, interval_seconds=0.01)
    plane.broker_users.down = True
    upkeep.start()
    with plane.services.database.transaction() as session:
        retire(session, find_device(session, "desk-1"), plane.clock.now())
    plane.broker_users.down = False
    assert wait_until(lambda: not plane.broker_users.secrets, seconds=60)
    upkeep.stop()
