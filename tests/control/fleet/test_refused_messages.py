"""What devices did not let in of what the broker brought them."""

from collections.abc import Callable

from contract.uplink import CHECK_IN_PATH, CheckIn, CheckInReason
from control.database.tables import Device
from control.metrics import REFUSED_BY_DEVICES
from tests.control.plane import FACTS, Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]


def counted() -> float:
    return float(REFUSED_BY_DEVICES.labels(reason="message")._value.get())


def tell(device: SignedDevice, refused: int) -> int:
    message = CheckIn(reason=CheckInReason.MAINTENANCE_TIMER, facts=FACTS).model_dump(mode="json")
    body = CheckIn.model_validate({**message, "refused_messages": refused}).to_json().encode()
    return device.request("POST", CHECK_IN_PATH, body).status_code


def stored(plane: Plane, device: SignedDevice) -> int:
    with plane.services.database.snapshot() as session:
        return session.get_one(Device, device.device_id).refused_messages


def test_what_is_told_twice_counts_once_and_a_new_start_counts_on(plane: Plane, enrolled: Enrolled) -> None:
    device, before = enrolled(), counted()
    for told, total in ((3, 3), (3, 3), (5, 5), (2, 7), (2, 7), (4, 9)):
        assert tell(device, told) == 200
        assert stored(plane, device) == total
    assert counted() == before + 9
