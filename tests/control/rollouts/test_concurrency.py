"""Limits and windows on a real control plane: how many devices are at work at once, and when they may begin."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from control.rollouts.counts import Standing
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutState
from tests.control.plane import FACTS, Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news


@pytest.fixture
def fleet(plane: Plane) -> RolledFleet:
    fleet = RolledFleet(plane)
    plane.publish()
    plane.assign(plane_group(plane))
    fleet.add(6, site="berlin")
    fleet.add(6, site="lima")
    fleet.add(3)
    return fleet


def plane_group(plane: Plane) -> str:
    plane.group("desks")
    return "desks"


def _limited(**limits: Any) -> RolloutSpec:
    return RolloutSpec.model_validate({"limits": limits})


def _at_work(fleet: RolledFleet, rollout: str) -> int:
    return fleet.standing(rollout, 0, Standing.AT_WORK)


@pytest.mark.parametrize(
    ("limits", "most"),
    [({"rollout": 4}, 4), ({"each_site": 2}, 6), ({"sites": {"lima": 1}}, 10), ({"groups": {"desks": 5}}, 5)],
)
def test_no_more_than_that_are_at_work_at_once(fleet: RolledFleet, limits: Mapping[str, Any], most: int) -> None:
    rollout = fleet.started(_limited(**limits))
    seen = []
    for _ in range(20):
        fleet.step()
        fleet.step()
        seen.append(_at_work(fleet, rollout))
        fleet.answer()
        if fleet.row(rollout).state is RolloutState.FINISHED:
            break
    assert max(seen) == most
    assert fleet.standing(rollout, 0, Standing.SUCCEEDED) == 15
    assert fleet.row(rollout).state is RolloutState.FINISHED


def test_a_device_that_dies_gives_its_place_to_another(fleet: RolledFleet) -> None:
    rollout = fleet.started(_limited(rollout=1))
    fleet.step()
    (dead,) = fleet.admitted(rollout)
    fleet.set_offline([dead])
    fleet.step()
    assert len(fleet.admitted(rollout)) == 2


def test_who_is_offline_is_not_admitted_where_there_are_limits(fleet: RolledFleet) -> None:
    rollout = fleet.started(_limited(rollout=100))
    fleet.set_offline(fleet.ids[:10])
    fleet.step()
    assert fleet.admitted(rollout) == set(fleet.ids[10:])


def test_it_is_not_finished_while_somebody_online_is_kept_waiting(plane: Plane) -> None:
    fleet = fleet_with_news(plane, 20)
    rollout = fleet.started(
        RolloutSpec.model_validate({"rings": [{"name": "all", "success": {"percent": 10}}], "limits": {"rollout": 5}})
    )
    for _ in range(4):
        assert fleet.row(rollout).state is RolloutState.RUNNING
        fleet.turn()
    fleet.turn()
    assert fleet.row(rollout).state is RolloutState.FINISHED


def test_devices_are_admitted_while_the_window_is_open_where_they_are(plane: Plane) -> None:
    fleet = RolledFleet(plane)
    plane.publish()
    plane.assign(plane_group(plane))
    zones = {}
    for zone in ("Asia/Tokyo", "Europe/Berlin", "America/Lima"):
        (zones[zone],) = fleet.add(1, facts={**FACTS.model_dump(mode="json"), "time_zone": zone})
    noon = plane.clock.now().astimezone(UTC).replace(hour=13, minute=30, second=0, microsecond=0)
    fleet.pass_time(_until(plane.clock.now(), noon))
    # 22:30 in Tokyo, 14:30 or 15:30 in Berlin, 08:30 in Lima.
    night = {"start": "22:00", "duration_in_minutes": 120}
    rollout = fleet.started(RolloutSpec.model_validate({"windows": [night]}))
    fleet.step()
    assert fleet.admitted(rollout) == {zones["Asia/Tokyo"]}
    fleet.pass_time(timedelta(hours=8))
    fleet.step()
    assert fleet.admitted(rollout) == {zones["Asia/Tokyo"], zones["Europe/Berlin"]}
    fleet.pass_time(timedelta(hours=6))
    fleet.step()
    assert fleet.admitted(rollout) == set(zones.values())


def _until(now: datetime, then: datetime) -> timedelta:
    return then - now if then >= now else then + timedelta(days=1) - now
