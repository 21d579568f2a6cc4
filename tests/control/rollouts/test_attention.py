"""What a glance at a rollout shows, and what waits for the look that it gets once a minute."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from contract.states import Intent
from control.catalog.assignments import assign
from control.catalog.terms import Terms
from control.database.tables import Device, RolloutDevice
from control.filters.stored import add_filter
from control.fleet.groups import find_group, remove_member
from control.rollouts import service
from control.rollouts.service import advance_rollouts
from control.targeting import Mode
from tests.control.plane import FACTS, Plane
from tests.control.rollouts.rolled_fleet import GROUP, RolledFleet, fleet_with_news, three_rings

MINUTE = timedelta(minutes=1)


@pytest.fixture
def fleet(either_plane: Plane) -> RolledFleet:
    """Devices with revision 1, of which the second can be rolled out."""
    return fleet_with_news(either_plane, 10)


def belonging(fleet: RolledFleet, rollout_id: str) -> set[str]:
    own = (RolloutDevice.rollout_id == rollout_id, RolloutDevice.left_at.is_(None))
    with fleet.plane.services.database.snapshot() as session:
        return set(session.scalars(select(RolloutDevice.device_id).where(*own)))


def settled(fleet: RolledFleet) -> str:
    """A rollout that waits, and that was looked at some minutes ago."""
    rollout_id = fleet.started(three_rings())
    for _ in range(4):
        fleet.step()
        fleet.pass_time(MINUTE)
    return rollout_id


def test_a_member_in_another_ones_place_is_let_in_within_a_minute(fleet: RolledFleet) -> None:
    rollout_id, gone = settled(fleet), fleet.ids[0]
    fleet.step()
    with fleet.plane.services.database.transaction() as session:
        remove_member(session, find_group(session, GROUP).id, gone)
    (new,) = fleet.add(1)
    fleet.pass_time(MINUTE)
    fleet.step()
    assert belonging(fleet, rollout_id) == {*fleet.ids[1:10], new}


def test_what_a_device_says_of_itself_is_looked_at_within_a_minute(fleet: RolledFleet) -> None:
    plane = fleet.plane
    with plane.services.database.transaction() as session:
        add_filter(session, "large", "device.memoryInMB -ge 1024", plane.clock.now())
        terms = Terms(filter="large", filter_mode=Mode.INCLUDE)
        assign(session, "Editor", GROUP, Intent.REQUIRED, plane.clock.now(), terms=terms)
    rollout_id = settled(fleet)
    assert belonging(fleet, rollout_id) == set(fleet.ids)
    with plane.services.database.transaction() as session:
        session.get_one(Device, fleet.ids[3]).facts = {**FACTS.model_dump(mode="json"), "memory_in_mb": 512}
    fleet.pass_time(MINUTE)
    fleet.step()
    assert belonging(fleet, rollout_id) == set(fleet.ids) - {fleet.ids[3]}


def test_while_nobody_comes_nor_goes_it_is_not_looked_whom_it_is_for(
    fleet: RolledFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(fleet)
    looks = []

    def look(_session: object, rollout: object, _now: object) -> int:
        looks.append(rollout)
        return 0

    monkeypatch.setattr(service, "follow_assignments", look)
    for _ in range(3):
        advance_rollouts(fleet.plane.services)
        fleet.pass_time(MINUTE)
    assert not looks
    fleet.add(1)
    advance_rollouts(fleet.plane.services)
    assert len(looks) == 1
