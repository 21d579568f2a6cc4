"""Who a rollout is for is who planning would give the app: exclusion, filters, start times and conflicts included."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from contract.available_apps import AppRequestKind
from contract.states import Intent
from control.catalog.assignments import assign
from control.catalog.terms import Terms
from control.database.tables import AppRequestRow, Device, Job, Rollout
from control.filters.stored import add_filter
from control.rollouts.spec import Ring, RolloutSpec
from control.rollouts.states import RolloutState
from control.rollouts.targets import wanting_devices
from control.targeting import Mode, TimeBasis
from tests.control.plane import FACTS, Plane
from tests.control.rollouts.rolled_fleet import RolledFleet


def _wanting(fleet: RolledFleet) -> set[str]:
    plane = fleet.plane
    with plane.services.database.snapshot() as session:
        return set(wanting_devices(session, plane.app_id(), plane.clock.now()))


def _planned(fleet: RolledFleet) -> set[str]:
    fleet.plane.plan()
    wanted = (Job.intent == Intent.REQUIRED, Job.state == "planned")
    with fleet.plane.services.database.snapshot() as session:
        return set(session.scalars(select(Job.device_id).where(*wanted)))


def _assign(fleet: RolledFleet, group: str, intent: Intent = Intent.REQUIRED, terms: Terms | None = None) -> None:
    plane = fleet.plane
    with plane.services.database.transaction() as session:
        assign(session, "Editor", group, intent, plane.clock.now(), terms=terms or Terms())


def _fleet(plane: Plane) -> RolledFleet:
    plane.publish()
    fleet = RolledFleet(plane)
    fleet.add(6)
    return fleet


def test_an_app_that_is_not_assigned_is_for_nobody(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    assert _wanting(fleet) == _planned(fleet) == set()


def test_who_is_excluded_or_gets_it_otherwise_is_left_out(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    fleet.join_group("lab", fleet.ids[:1])
    fleet.join_group("kiosks", fleet.ids[1:2])
    others = fleet.add(2, group="uninstalled")
    with either_plane.services.database.transaction() as session:
        session.get_one(Device, fleet.ids[2]).retired_at = either_plane.clock.now()
    _assign(fleet, "desks")
    _assign(fleet, "lab", Intent.NOT_TARGETED, Terms(mode=Mode.EXCLUDE))
    _assign(fleet, "kiosks", Intent.AVAILABLE)
    _assign(fleet, "uninstalled", Intent.UNINSTALL)
    # Required beats available.
    expected = {fleet.ids[1], *fleet.ids[3:6]}
    assert _wanting(fleet) == expected
    assert _planned(fleet) == expected
    assert not expected & set(others)


def test_a_filter_decides_device_by_device(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    small = fleet.add(2, facts={**FACTS.model_dump(mode="json"), "memory_in_mb": 512})
    with either_plane.services.database.transaction() as session:
        add_filter(session, "small", "device.memoryInMB -lt 1024", either_plane.clock.now())
    _assign(fleet, "desks", terms=Terms(filter="small", filter_mode=Mode.EXCLUDE))
    assert _wanting(fleet) == _planned(fleet) == set(fleet.ids) - set(small)


def test_before_its_start_on_a_devices_own_clock_an_assignment_is_for_nobody(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    (east,) = fleet.add(1, facts={**FACTS.model_dump(mode="json"), "time_zone": "Asia/Tokyo"})
    reading = (either_plane.clock.now() + timedelta(hours=5)).astimezone(UTC)
    _assign(fleet, "desks", terms=Terms(start_at=_whole(reading), time_basis=TimeBasis.LOCAL))
    # In Tokyo it is nine hours later than that clock of the others shows.
    assert _wanting(fleet) == _planned(fleet) == {east}


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def test_who_asked_for_an_available_app_gets_its_next_revision_by_rollout(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    _assign(fleet, "desks", Intent.AVAILABLE)
    assert _wanting(fleet) == set()
    with either_plane.services.database.transaction() as session:
        for device_id, kind in zip(fleet.ids, (AppRequestKind.INSTALL, AppRequestKind.UNINSTALL), strict=False):
            now = either_plane.clock.now()
            row = AppRequestRow(device_id=device_id, app_id=either_plane.app_id(), kind=kind, requested_at=now)
            session.add(row)
    assert _wanting(fleet) == {fleet.ids[0]}


def test_each_ring_reaches_those_of_its_devices_that_asked_and_counts_them(either_plane: Plane) -> None:
    fleet = _fleet(either_plane)
    _assign(fleet, "desks", Intent.AVAILABLE)
    with either_plane.services.database.transaction() as session:
        for device_id in fleet.ids[:4]:
            session.add(
                AppRequestRow(
                    device_id=device_id,
                    app_id=either_plane.app_id(),
                    kind=AppRequestKind.INSTALL,
                    requested_at=either_plane.clock.now(),
                )
            )
    fleet.turn()
    either_plane.clock.advance(timedelta(seconds=1))
    either_plane.publish(displayVersion="2")
    rollout_id = fleet.started(RolloutSpec(rings=(Ring(name="first", count=1), Ring(name="rest"))))
    admitted = {device_id for device_id, _ in fleet.step()}
    assert len(admitted) == 1
    assert admitted < set(fleet.ids[:4])
    fleet.answer()
    reached = set(admitted)
    for _ in range(4):
        either_plane.clock.advance(timedelta(seconds=1))
        reached |= {device_id for device_id, _ in fleet.step()}
        fleet.answer()
    assert reached == set(fleet.ids[:4])
    with either_plane.services.database.snapshot() as session:
        assert session.get_one(Rollout, rollout_id).state == RolloutState.FINISHED
