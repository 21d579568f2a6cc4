"""Members of dynamic groups follow facts, rules and sites."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.database.tables import Device, Group, GroupMember
from control.fleet.groups import create_group, delete_group, find_group
from control.fleet.membership import refresh_device, set_rule
from control.fleet.retirement import retire
from tests.control.plane import FACTS, Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]
BERLIN = 'device.site -eq "Berlin"'
LINUX = 'device.operatingSystem -eq "linux"'


def make(plane: Plane, name: str, rule: str | None) -> str:
    with plane.services.database.transaction() as session:
        return create_group(session, name, plane.clock.now(), rule=rule).id


def members(plane: Plane, name: str) -> set[str]:
    with plane.services.database.snapshot() as session:
        group = find_group(session, name)
        names = select(Device.name).join(GroupMember).where(GroupMember.group_id == group.id)
        return set(session.scalars(names))


def test_a_group_with_a_rule_begins_with_the_devices_that_match(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("desk-1")
    make(plane, "linux", LINUX)
    make(plane, "berlin", BERLIN)
    assert (members(plane, "linux"), members(plane, "berlin")) == ({"desk-1"}, set())


def test_a_device_that_enrols_is_in_at_once(plane: Plane, enrolled: Enrolled) -> None:
    make(plane, "linux", LINUX)
    enrolled("desk-1")
    assert members(plane, "linux") == {"desk-1"}


def test_other_facts_at_a_check_in_change_the_groups(plane: Plane, enrolled: Enrolled) -> None:
    make(plane, "small", "device.memoryInMB -lt 4096")
    device = enrolled("desk-1")
    assert members(plane, "small") == {"desk-1"}
    with plane.services.database.transaction() as session:
        row = session.get_one(Device, device.device_id)
        row.facts = FACTS.model_copy(update={"memory_in_mb": 8192}).model_dump(mode="json")
        assert refresh_device(session, row, plane.clock.now())
        assert not refresh_device(session, row, plane.clock.now())
    assert members(plane, "small") == set()
    device.check_in()
    assert members(plane, "small") == {"desk-1"}


def test_another_rule_changes_the_members_and_none_leaves_them(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("desk-1")
    make(plane, "some", LINUX)
    for rule, expected in ((BERLIN, set()), (LINUX, {"desk-1"}), (None, {"desk-1"})):
        with plane.services.database.transaction() as session:
            set_rule(session, find_group(session, "some"), rule, plane.clock.now())
        assert members(plane, "some") == expected


def test_a_rule_that_cannot_be_read_leaves_the_group_as_it_was(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("desk-1")
    make(plane, "linux", LINUX)
    with pytest.raises(InputError), plane.services.database.transaction() as session:
        set_rule(session, find_group(session, "linux"), "nonsense", plane.clock.now())
    assert members(plane, "linux") == {"desk-1"}


def test_a_group_of_that_name_with_another_rule_is_refused(plane: Plane) -> None:
    first = make(plane, "linux", LINUX)
    assert make(plane, "linux", 'OperatingSystem -EQ  "linux"') == first
    assert make(plane, "linux", None) == first
    with pytest.raises(InputError) as caught:
        make(plane, "linux", BERLIN)
    assert caught.value.code is ErrorCode.NAME_TAKEN


def test_a_retired_device_is_neither_counted_nor_lost(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled("desk-1")
    make(plane, "linux", LINUX)
    with plane.services.database.transaction() as session:
        retire(session, session.get_one(Device, device.device_id), plane.clock.now())
        set_rule(session, find_group(session, "linux"), BERLIN, plane.clock.now())
    assert members(plane, "linux") == {"desk-1"}


def test_a_token_brings_its_site_but_into_no_group_with_a_rule(plane: Plane, enrolled: Enrolled) -> None:
    static = plane.group("desks")
    enrolled("desk-1", group_id=static)
    with plane.services.database.transaction() as session:
        session.get_one(Group, static).rule = BERLIN
    enrolled("desk-2", group_id=static)
    assert members(plane, "desks") == {"desk-1"}


def test_a_group_in_use_is_not_deleted_and_says_by_what(plane: Plane) -> None:
    plane.publish()
    plane.token(group_id=plane.group("desks"))
    plane.assign("desks")
    with pytest.raises(InputError) as caught, plane.services.database.transaction() as session:
        delete_group(session, "desks", plane.clock.now())
    assert caught.value.code is ErrorCode.STILL_IN_USE
    assert caught.value.detail == "assignment of Editor, an enrolment token"


def test_a_group_whose_tokens_are_spent_can_go(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("desk-1", group_id=plane.group("desks"))
    with plane.services.database.transaction() as session:
        delete_group(session, "desks", plane.clock.now())
        assert session.scalars(select(GroupMember)).all() == []
        assert len(session.scalars(select(Device)).all()) == 1
