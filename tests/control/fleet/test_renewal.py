"""Broker users made anew from the database."""

from collections.abc import Callable

from control.database.tables import Device
from control.fleet.broker_users import secret_hash
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]


def test_all_enrolled_devices_are_let_in_again_and_retired_ones_are_not(plane: Plane, enrolled: Enrolled) -> None:
    kept, gone = enrolled("kept"), enrolled("gone")
    plane.broker_users.secrets["stranger"] = "x"
    with plane.services.database.transaction() as session:
        session.get_one(Device, gone.device_id).retired_at = plane.clock.now()
    with plane.services.database.snapshot() as session:
        assert plane.services.enrollment.renew_broker_users(session) == 1
    assert plane.broker_users.secrets.keys() == {kept.device_id}


def test_the_database_keeps_the_digest_of_a_devices_broker_secret_and_not_the_secret(
    plane: Plane, enrolled: Enrolled
) -> None:
    device = enrolled()
    assert device.reply is not None
    with plane.services.database.snapshot() as session:
        kept = session.get_one(Device, device.device_id).broker_secret_hash
    assert kept == secret_hash(device.reply.broker_secret)
