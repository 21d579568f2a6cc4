"""Devices of groups in documents: named, compared, put in and taken out."""

from collections.abc import Callable, Sequence

import pytest

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.desired.canonical import State, state_of
from control.desired.documents import GroupDocument
from control.desired.plan import Action, Change
from control.fleet.devices import find_device
from control.fleet.retirement import retire
from tests.control.desired.applying import apply, members
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]


def group(members: Sequence[str] | None, name: str = "kiosks", rule: str | None = None) -> GroupDocument:
    return GroupDocument(kind="Group", name=name, rule=rule, members=None if members is None else tuple(members))


def state(*documents: GroupDocument) -> State:
    return state_of(documents)


def test_exactly_the_named_devices_are_in_it_and_naming_them_again_changes_nothing(
    plane: Plane, enrolled: Enrolled
) -> None:
    enrolled("a", plane.group("kiosks"))
    enrolled("b")
    enrolled("c")
    assert apply(plane, state(group(["c", "b", "c"]))) == 1
    assert members(plane, "kiosks") == ("b", "c")
    assert apply(plane, state(group(["b", "c"]))) == 0
    assert apply(plane, state(group([]))) == 1
    assert members(plane, "kiosks") == ()


def test_a_group_whose_document_names_nobody_keeps_whom_operators_put_in(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("a", plane.group("kiosks"))
    assert apply(plane, state(group(None)), prune=True) == 0
    assert members(plane, "kiosks") == ("a",)


def test_a_group_is_made_with_its_devices(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("a")
    apply(plane, state(group(["a"])))
    assert members(plane, "kiosks") == ("a",)


def test_a_group_with_a_rule_becomes_one_with_these_devices(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("a")
    enrolled("b")
    apply(plane, state(group(None, rule="device.memoryInMB -ge 1")))
    apply(plane, state(group(["b"])))
    assert members(plane, "kiosks") == ("b",)


def test_a_device_is_known_by_its_id_too_and_an_id_is_no_other_device(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled("a")
    apply(plane, state(group([device.device_id])))
    assert members(plane, "kiosks") == ("a",)
    assert apply(plane, state(group(["a", device.device_id]))) == 0


def test_devices_of_one_name_are_told_apart_by_id(plane: Plane, enrolled: Enrolled) -> None:
    first, second = enrolled("twin"), enrolled("twin")
    with pytest.raises(NotFoundError) as caught:
        apply(plane, state(group(["twin"])))
    assert "several devices have this name; give their ids: twin" in caught.value.detail
    assert apply(plane, state(group([first.device_id]))) == 1
    assert members(plane, "kiosks") == (first.device_id,)
    assert apply(plane, state(group([first.device_id]))) == 0
    assert apply(plane, state(group([second.device_id]))) == 1


def test_devices_that_are_not_there_are_named_and_nothing_changes(plane: Plane, enrolled: Enrolled) -> None:
    enrolled("a", plane.group("kiosks"))
    with pytest.raises(NotFoundError) as caught:
        apply(plane, state(group(["a", *(f"ghost-{number}" for number in range(8))])))
    assert (caught.value.code, caught.value.place) == (ErrorCode.UNKNOWN_DEVICE, "Group kiosks")
    assert caught.value.detail.endswith("ghost-0, ghost-1, ghost-2, ghost-3, ghost-4 and 3 more")
    assert members(plane, "kiosks") == ("a",)


def test_a_retired_device_cannot_be_named_and_keeps_its_place_for_the_one_after_it(
    plane: Plane, enrolled: Enrolled
) -> None:
    device = enrolled("a", plane.group("kiosks"))
    enrolled("b")
    with plane.services.database.transaction() as session:
        retire(session, find_device(session, device.device_id), plane.clock.now())
    with pytest.raises(NotFoundError):
        apply(plane, state(group(["a"])))
    apply(plane, state(group(["b"])))
    with plane.services.database.snapshot() as session:
        rows = session.connection().exec_driver_sql("SELECT count(*) FROM group_members").scalar()
    assert rows == 2


def test_more_devices_than_one_question_can_name_are_put_in(plane: Plane, enrolled: Enrolled) -> None:
    names = [f"d{number}" for number in range(3)]
    for name in names:
        enrolled(name)
    copies = [f"x{number}" for number in range(1200)]
    with pytest.raises(NotFoundError, match="and 1195 more"):
        apply(plane, state(group(names + copies)))


def test_a_change_tells_who_comes_and_who_goes_and_nothing_of_who_stays() -> None:
    change = Change(Action.UPDATE, group(["a", "b"]), group(["b", "c"]))
    assert dict(change.fields()) == {"members": (["a"], ["c"])}
    made = Change(Action.CREATE, None, group([]))
    assert dict(made.fields()) == {"name": (None, "kiosks")}


def test_a_rule_and_devices_in_one_document_are_refused() -> None:
    with pytest.raises(ValueError, match="say `rule` or `members`"):
        group(["a"], rule="device.memoryInMB -ge 1")
