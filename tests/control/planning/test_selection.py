"""Statements about selected devices: put together once, and about those devices only."""

from typing import Any

import pytest
from sqlalchemy import Select, select

from control.database.tables import Device
from control.planning.selection import AboutDevices, Selection, SelectionKind, Span, Those
from tests.control.plane import Plane

_made: list[SelectionKind] = []


@AboutDevices
def _names(kind: SelectionKind) -> Select[Any]:
    _made.append(kind)
    return select(Device.name).where(kind.holds(Device.id)).order_by(Device.name)


@pytest.fixture
def ids(either_plane: Plane) -> dict[str, str]:
    """The id of each device, by its name, in the order of the ids."""
    names = ["a", "b", "c", "d"]
    ids = either_plane.add_devices(either_plane.group("desks"), names)
    return dict(sorted(zip(names, ids, strict=True), key=lambda both: both[1]))


def _found(plane: Plane, devices: Selection) -> list[str]:
    with plane.services.database.snapshot() as session:
        return list(_names.execute(session, devices).scalars())


def test_a_span_has_both_of_its_ends_and_all_between(either_plane: Plane, ids: dict[str, str]) -> None:
    names = list(ids)
    assert _found(either_plane, Span(ids[names[1]], ids[names[3]])) == sorted(names[1:])


def test_devices_that_are_named_are_found_and_no_others(either_plane: Plane, ids: dict[str, str]) -> None:
    assert _found(either_plane, Those((ids["c"], ids["a"], "nobody"))) == ["a", "c"]
    assert _found(either_plane, Those(())) == []


def test_a_statement_is_put_together_once_for_each_kind(either_plane: Plane, ids: dict[str, str]) -> None:
    for id_ in ids.values():
        _found(either_plane, Those((id_,)))
        _found(either_plane, Span(id_, id_))
    assert sorted(_made, key=repr) == [Span, Those]
