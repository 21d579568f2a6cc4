"""Devices that check in are read and written as columns, and nothing of them is written but what has changed."""

from datetime import timedelta

import pytest
from sqlalchemy import event, update

from control.database.tables import Device
from control.fleet.retirement import retire
from control.fleet.visits import Visits
from tests.control.plane import Plane


@pytest.fixture
def ids(either_plane: Plane) -> list[str]:
    return sorted(either_plane.add_devices(either_plane.group("desks"), ["a", "b", "c"]))


def stored(plane: Plane, device_id: str) -> Device:
    with plane.services.database.snapshot() as session:
        return session.get_one(Device, device_id)


def test_what_was_set_is_written_and_all_else_stays_as_somebody_has_made_it_meanwhile(
    either_plane: Plane, ids: list[str]
) -> None:
    later = either_plane.clock.now() + timedelta(hours=1)
    with either_plane.services.database.transaction() as session:
        visits = Visits(session, ids)
        session.execute(update(Device).where(Device.id == ids[0]).values(next_shard="second", site="Rome"))
        for visitor in visits.visitors.values():
            visitor.last_seen_at = later
        visits.visitors[ids[1]].facts = {"hostname": "another"}
        visits.write()
    first, second, third = (stored(either_plane, id_) for id_ in ids)
    assert {first.last_seen_at, second.last_seen_at, third.last_seen_at} == {later}
    assert (first.next_shard, first.site) == ("second", "Rome")
    assert second.facts == {"hostname": "another"}
    assert third.facts == first.facts != second.facts


def test_devices_of_which_nothing_is_new_are_not_written(either_plane: Plane, ids: list[str]) -> None:
    with either_plane.services.database.transaction() as session:
        visits = Visits(session, ids)
        for visitor in visits.visitors.values():
            visitor.facts = dict(visitor.facts)
        asked: list[str] = []
        engine = either_plane.services.database.engine
        event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, text, *_rest: asked.append(text))
        visits.write()
    assert asked == []


def test_a_device_that_is_unknown_or_retired_is_no_visitor(either_plane: Plane, ids: list[str]) -> None:
    with either_plane.services.database.transaction() as session:
        retire(session, session.get_one(Device, ids[0]), either_plane.clock.now())
    with either_plane.services.database.transaction() as session:
        assert list(Visits(session, {*ids, "nobody"}).visitors) == ids[1:]
