"""How a device of a rollout is doing, by its newest job."""

from typing import Any

import pytest

from contract.jobs import JobState
from contract.policy import FailureClass
from contract.report import WaitReason
from contract.states import EnforcementState, Outcome
from control.rollouts.counts import DeviceResult, RingCounts, Standing, count, standing_of


def _device(**facts: Any) -> DeviceResult:
    return DeviceResult(**{"ring": 0, "admitted": True, "online": True, **facts})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"admitted": False}, Standing.HELD),
        ({"admitted": False, "online": False}, Standing.ABSENT),
        ({"admitted": False, "state": JobState.FINISHED, "outcome": Outcome.INSTALLED}, Standing.HELD),
        ({}, Standing.AT_WORK),
        ({"online": False}, Standing.ABSENT),
        ({"state": JobState.PLANNED}, Standing.AT_WORK),
        ({"state": JobState.RUNNING, "online": False}, Standing.ABSENT),
        ({"state": JobState.FINISHED, "outcome": Outcome.INSTALLED}, Standing.SUCCEEDED),
        ({"state": JobState.FINISHED, "outcome": Outcome.ALREADY_INSTALLED, "online": False}, Standing.SUCCEEDED),
        ({"state": JobState.FINISHED, "outcome": Outcome.NOT_APPLICABLE}, Standing.NOT_APPLICABLE),
        ({"state": JobState.FINISHED, "outcome": Outcome.REQUIREMENTS_NOT_MET}, Standing.NOT_APPLICABLE),
        ({"state": JobState.FINISHED, "outcome": Outcome.FAILED}, Standing.FAILED),
        ({"state": JobState.CANCELLED}, Standing.CANCELLED),
        ({"state": JobState.CANCELLED, "outcome": Outcome.FAILED}, Standing.CANCELLED),
    ],
)
def test_a_device_has_one_standing(facts: dict[str, Any], expected: Standing) -> None:
    assert standing_of(_device(**facts)) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (WaitReason.RETRY_INTERVAL, Standing.RETRYING),
        (WaitReason.INTERRUPTED, Standing.RETRYING),
        (WaitReason.GRS, Standing.FAILED),
        (WaitReason.SCHEDULE, Standing.FAILED),
        (None, Standing.RETRYING),
    ],
)
def test_a_device_has_failed_when_its_round_of_attempts_is_used_up(
    reason: WaitReason | None, expected: Standing
) -> None:
    waiting = _device(state=JobState.WAITING, outcome=Outcome.FAILED, next_action_reason=reason)
    assert standing_of(waiting) is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_FAILURE, Standing.FAILED),
        (EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET, Standing.NOT_APPLICABLE),
        (EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_AUTO_INSTALL_OFF, Standing.NOT_APPLICABLE),
        (EnforcementState.IN_PROGRESS_DEPENDENCY_INSTALLING, Standing.AT_WORK),
        (None, Standing.AT_WORK),
    ],
)
def test_a_device_whose_job_is_held_is_doing_as_the_apps_it_depends_on(
    number: EnforcementState | None, expected: Standing
) -> None:
    assert standing_of(_device(state=JobState.HELD, enforcement=number)) is expected


def test_devices_are_counted_by_ring_and_failures_by_class() -> None:
    failed = {"state": JobState.FINISHED, "outcome": Outcome.FAILED}
    first, second, third = count(
        [
            (_device(), 3),
            (_device(**failed, failure=FailureClass.CONTENT), 2),
            (_device(**failed), 1),
            (_device(ring=2, admitted=False), 5),
            (_device(ring=2, state=JobState.RUNNING, outcome=Outcome.FAILED, failure=FailureClass.RULES), 4),
        ],
        rings=3,
    )
    assert (first.devices, first.of(Standing.AT_WORK), first.of(Standing.FAILED)) == (6, 3, 3)
    # A failure that says nothing of itself is the installer's.
    assert first.failed == {FailureClass.CONTENT: 2, FailureClass.INSTALLER: 1}
    assert second == RingCounts()
    assert (third.of(Standing.HELD), third.retrying) == (5, {FailureClass.RULES: 4})


def test_who_can_tell_is_neither_offline_nor_left_out() -> None:
    standings = dict.fromkeys(Standing, 1)
    assert RingCounts(standings).telling == len(Standing) - 3
    assert not RingCounts(standings).all_settled
    assert RingCounts({Standing.ABSENT: 3, Standing.HELD: 2, Standing.FAILED: 1}).all_settled
