"""Groups, and finding devices by name."""

from collections.abc import Callable

import pytest

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.answers.devices import list_groups
from control.answers.pages import PageRequest
from control.fleet.devices import find_device
from control.fleet.groups import add_member, create_group, find_group, remove_member
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]


def test_making_a_group_again_changes_nothing(plane: Plane) -> None:
    first = plane.group("desks")
    with plane.services.database.transaction() as session:
        assert create_group(session, "desks", plane.clock.now()).id == first


def test_an_unknown_group_is_named(plane: Plane) -> None:
    with plane.services.database.snapshot() as session, pytest.raises(NotFoundError) as caught:
        find_group(session, "shelves")
    assert (caught.value.code, caught.value.place) == (ErrorCode.UNKNOWN_GROUP, "shelves")


def test_putting_in_and_taking_out_twice_is_fine(plane: Plane, enrolled: Enrolled) -> None:
    group_id, device_id = plane.group("desks"), enrolled().device_id
    with plane.services.database.transaction() as session:
        add_member(session, group_id, device_id, plane.clock.now())
        add_member(session, group_id, device_id, plane.clock.now())
        assert [group.members for group in list_groups(session, PageRequest()).items] == [1]
        remove_member(session, group_id, device_id)
        remove_member(session, group_id, device_id)
        assert [group.members for group in list_groups(session, PageRequest()).items] == [0]


def test_a_name_that_several_devices_have_asks_for_an_id(plane: Plane, enrolled: Enrolled) -> None:
    first, second = enrolled("twin"), enrolled("twin")
    with plane.services.database.snapshot() as session:
        with pytest.raises(NotFoundError, match="2 devices have this name") as caught:
            find_device(session, "twin")
        assert first.device_id in caught.value.detail
        assert find_device(session, second.device_id).id == second.device_id
