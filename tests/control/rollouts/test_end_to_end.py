"""Whole rollouts on a real control plane and both databases: rings, halt, roll back, late joiners, operators."""

from datetime import timedelta

import pytest

from contract.phases import Phase
from control.answers.errors import error_counts
from control.answers.job_filter import JobFilter
from control.fleet.groups import remove_member
from control.rollouts.counts import Standing
from control.rollouts.states import RolloutAction, RolloutState
from tests.control.plane import Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news, three_rings

HOUR = timedelta(hours=1)


@pytest.fixture
def fleet(either_plane: Plane) -> RolledFleet:
    """Twenty devices with revision 1; revision 2 is published and was not planned for."""
    return fleet_with_news(either_plane, 20)


def test_three_rings_are_opened_one_after_the_other(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    assert sorted(fleet.ring_of(rollout).values()) == [0] * 2 + [1] * 8 + [2] * 10
    fleet.turn()
    assert sorted(fleet.revisions().values()) == [1] * 18 + [2] * 2
    fleet.turn()
    fleet.pass_time(timedelta(minutes=59))
    fleet.turn()
    # The first ring still soaks.
    assert sorted(fleet.revisions().values()) == [1] * 18 + [2] * 2
    fleet.pass_time(timedelta(minutes=2))
    fleet.turn()
    assert sorted(fleet.revisions().values()) == [1] * 10 + [2] * 10
    fleet.turn()
    assert sorted(fleet.revisions().values()) == [2] * 20
    fleet.turn()
    assert fleet.row(rollout).state is RolloutState.FINISHED
    assert fleet.events(rollout) == [
        "created",
        "start",
        *["ring-opened", "soak-begun", "ring-passed"] * 3,
        "finish",
    ]


def test_a_draft_holds_every_device_back(fleet: RolledFleet) -> None:
    fleet.create(three_rings())
    assert fleet.step() == []
    assert set(fleet.revisions().values()) == {1}


def test_failures_halt_it_and_nothing_more_is_sent(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    canaries = {device for device, ring in fleet.ring_of(rollout).items() if ring == 0}
    fleet.turn(failing=lambda device: device in canaries)
    assert fleet.step() == []
    found = fleet.row(rollout)
    assert found.state is RolloutState.HALTED
    assert found.reason == "ring canary: 2 of 2 failed, more than 10 % halt the rollout"
    fleet.pass_time(2 * HOUR)
    assert fleet.step() == []
    assert sorted(fleet.revisions().values()) == [1] * 18 + [2] * 2


def test_a_rollout_that_rolls_back_by_itself_brings_the_baseline_back_under_a_new_number(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings(rollback_on_failure=True))
    canaries = {device for device, ring in fleet.ring_of(rollout).items() if ring == 0}
    fleet.turn(failing=lambda device: device in canaries)
    fleet.step()
    assert fleet.row(rollout).state is RolloutState.ROLLING_BACK
    assert {fleet.revisions()[device] for device in canaries} == {3}
    assert fleet.standing(rollout, 0, Standing.AT_WORK) == 2
    fleet.answer()
    fleet.turn()
    assert fleet.row(rollout).state is RolloutState.ROLLED_BACK
    fleet.turn()
    # Everybody is at one number again; whoever had the content already finds it there.
    assert set(fleet.revisions().values()) == {3}


def test_what_made_a_rollout_go_back_can_be_asked_for_when_it_is_back(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings(rollback_on_failure=True))
    fleet.turn(failing=lambda _device: True)
    fleet.step()
    fleet.answer()
    fleet.turn()
    wanted = JobFilter(rollout=fleet.row(rollout).name)
    with fleet.plane.services.database.snapshot() as session:
        assert error_counts(session, wanted) == []
        (error,) = error_counts(session, wanted, past=True)
    assert (error.code, error.phase, error.jobs) == ("installer-failed", Phase.INSTALL, 2)


def test_an_operator_rolls_back(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    fleet.turn()
    fleet.act(rollout, RolloutAction.ROLL_BACK, "it loses files")
    fleet.turn()
    fleet.turn()
    found = fleet.row(rollout)
    assert found.state is RolloutState.ROLLED_BACK
    assert (found.baseline, found.rollback_revision) == (1, 3)


def test_resuming_accepts_the_failures_and_goes_on(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    (broken, _) = (device for device, ring in fleet.ring_of(rollout).items() if ring == 0)
    fleet.turn(failing=lambda device: device == broken)
    fleet.step()
    assert fleet.row(rollout).state is RolloutState.HALTED
    fleet.act(rollout, RolloutAction.RESUME, "known defect")
    assert fleet.row(rollout).reason == "known defect; 1 failed devices are accepted"
    fleet.turn()
    assert fleet.row(rollout).state is RolloutState.RUNNING
    fleet.pass_time(2 * HOUR)
    fleet.turn()
    assert sorted(fleet.revisions().values()) == [1] * 10 + [2] * 10


def test_a_paused_rollout_lets_nothing_begin_and_goes_on_when_resumed(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    canaries = [device for device, ring in fleet.ring_of(rollout).items() if ring == 0]
    fleet.set_offline(canaries[:1])
    fleet.step()
    assert len(fleet.admitted(rollout)) == 2
    fleet.act(rollout, RolloutAction.PAUSE)
    # The one that was offline had nothing of it yet.
    assert fleet.admitted(rollout) == {canaries[1]}
    fleet.set_online(canaries)
    fleet.turn()
    assert fleet.revisions()[canaries[0]] == 1
    fleet.act(rollout, RolloutAction.RESUME)
    fleet.turn()
    assert len([one for one in fleet.revisions().values() if one == 2]) == 2


def test_a_cancelled_rollout_leaves_everybody_where_they_are(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    fleet.turn()
    fleet.act(rollout, RolloutAction.CANCEL)
    fleet.turn()
    assert sorted(fleet.revisions().values()) == [1] * 18 + [2] * 2
    (late,) = fleet.add(1)
    fleet.turn()
    assert fleet.revisions()[late] == 1


def test_cancelling_the_first_rollout_of_an_app_deploys_it_nowhere(either_plane: Plane) -> None:
    fleet = RolledFleet(either_plane)
    either_plane.publish()
    fleet.add(5)
    rollout = fleet.create(three_rings())
    either_plane.assign("desks")
    assert fleet.step() == []
    fleet.act(rollout, RolloutAction.CANCEL)
    assert fleet.step() == []


def test_a_late_joiner_comes_into_the_ring_of_its_group_else_into_the_last(fleet: RolledFleet) -> None:
    fleet.join_group("pilot", fleet.ids[:3])
    spec = three_rings()
    pilot = spec.rings[0].model_copy(update={"percent": None, "groups": ("pilot",)})
    rollout = fleet.started(spec.model_copy(update={"rings": (pilot, *spec.rings[1:])}))
    fleet.turn()
    one, other = fleet.add(2)
    fleet.join_group("pilot", [one])
    fleet.turn()
    assert (fleet.ring_of(rollout)[one], fleet.ring_of(rollout)[other]) == (0, 2)
    # The first ring is open, the last is not.
    assert (fleet.revisions()[one], fleet.revisions()[other]) == (2, 1)


def test_a_newer_revision_published_meanwhile_reaches_nobody(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    fleet.plane.publish(displayVersion="3.0")
    fleet.turn()
    assert sorted(fleet.revisions().values()) == [1] * 18 + [2] * 2
    for _ in range(6):
        fleet.pass_time(HOUR)
        fleet.turn()
    assert fleet.row(rollout).state is RolloutState.FINISHED
    assert set(fleet.revisions().values()) == {2}
    assert fleet.row(rollout).reason.endswith("the app is pinned to revision 2")


def test_devices_that_are_offline_keep_no_ring_waiting(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    canaries = [device for device, ring in fleet.ring_of(rollout).items() if ring == 0]
    fleet.set_offline(canaries[:1])
    fleet.turn()
    fleet.turn()
    assert fleet.detail(rollout).rings[0].success.holds
    fleet.set_offline(canaries)
    assert fleet.detail(rollout).rings[0].standings == {Standing.SUCCEEDED: 1, Standing.ABSENT: 1}


def test_a_ring_that_is_offline_as_a_whole_shows_nothing_and_waits(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    fleet.set_offline(device for device, ring in fleet.ring_of(rollout).items() if ring == 0)
    fleet.turn()
    fleet.turn()
    assert fleet.detail(rollout).next_action == "ring canary: all 2 that could tell are offline"
    assert set(fleet.revisions().values()) == {1}


def test_who_is_no_longer_assigned_counts_no_more_and_is_as_before_when_it_returns(fleet: RolledFleet) -> None:
    rollout = fleet.started(three_rings())
    gone = next(device for device, ring in fleet.ring_of(rollout).items() if ring == 2)
    with fleet.plane.services.database.transaction() as session:
        remove_member(session, fleet.plane.group("desks"), gone)
    fleet.turn()
    assert fleet.detail(rollout).rings[2].devices == 9
    fleet.join_group("desks", [gone])
    fleet.turn()
    assert fleet.detail(rollout).rings[2].devices == 10
