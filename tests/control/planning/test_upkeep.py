"""The scheduler's planning: what was asked for while nobody listened is found, and a fleet at rest costs little."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from contract.states import Intent
from control.catalog.assignments import assign
from control.catalog.terms import Terms
from control.database.tables import Device, GroupMember, Job, PlanningRow
from control.fleet.groups import add_member, find_group
from control.planning import service, upkeep
from control.planning.wanted import passed_quarters, wanted_digest
from control.targeting import TimeBasis
from control.work import catch_up_now, plan_now
from tests.control.plane import Plane
from tests.control.two_writers import overtake

DESKS = [f"desk-{number}" for number in range(6)]


@pytest.fixture
def desks(either_plane: Plane) -> Plane:
    """A plane with an app and a group of six devices; nothing is assigned."""
    either_plane.publish()
    either_plane.add_devices(either_plane.group("desks"), DESKS)
    return either_plane


def made(plane: Plane) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Job)) or 0


def test_an_assignment_that_nobody_was_told_of_is_planned_for_all(desks: Plane) -> None:
    catch_up_now(desks.services)
    desks.assign("desks")
    catch_up_now(desks.services)
    assert made(desks) == len(DESKS)


@pytest.mark.integration
def test_two_who_plan_for_the_first_time_at_once_both_note_it(postgresql_plane: Plane) -> None:
    services = postgresql_plane.services

    def note(session: Session) -> None:
        session.add(PlanningRow(id=1, wanted="something else", looked_at_until="desk-1"))

    overtake(services.database, note, lambda: plan_now(services))
    with services.database.snapshot() as session:
        row = session.scalars(select(PlanningRow)).one()
        assert (row.wanted, row.looked_at_until) == (wanted_digest(session, postgresql_plane.clock.now()), "desk-1")


def test_an_assignment_whose_time_comes_is_planned_for_then(desks: Plane) -> None:
    start = desks.clock.now() + timedelta(hours=1)
    with desks.services.database.transaction() as session:
        assign(session, "Editor", "desks", Intent.REQUIRED, desks.clock.now(), terms=Terms(start_at=start))
    plan_now(desks.services)
    desks.clock.advance(timedelta(minutes=59))
    catch_up_now(desks.services)
    assert made(desks) == 0
    desks.clock.advance(timedelta(minutes=1))
    catch_up_now(desks.services)
    assert made(desks) == len(DESKS)


def test_a_member_that_nobody_was_told_of_is_found_within_a_round(
    desks: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desks.services.database.transaction() as session:
        session.execute(delete(GroupMember))
    desks.assign("desks")
    plan_now(desks.services)
    monkeypatch.setattr(service, "PART", 1)
    monkeypatch.setattr(upkeep, "PART", 1)
    monkeypatch.setattr(upkeep, "_ROUND", 3)
    with desks.services.database.transaction() as session:
        group = find_group(session, "desks")
        for device_id in session.scalars(select(Device.id)).all():
            add_member(session, group.id, device_id, desks.clock.now())
    found = []
    for _ in range(3):
        catch_up_now(desks.services)
        found.append(made(desks))
    assert found == [2, 4, 6], "a third of the fleet each time"


def test_on_clocks_of_devices_the_time_passes_zone_after_zone() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    hours = [-20, -15, -5, 0, 5, 15, 20]
    local = [passed_quarters(start, TimeBasis.LOCAL, start + timedelta(hours=hour)) for hour in hours]
    assert local == [-60, -60, -20, 0, 20, 60, 60]
    assert [passed_quarters(start, TimeBasis.UTC, start + timedelta(hours=hour)) for hour in hours] == [0] * 3 + [1] * 4
