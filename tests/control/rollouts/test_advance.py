"""What a rollout does next, decision by decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.policy import FailureClass
from control.rollouts.advance import Course, Decision, RingProgress, Step, advance
from control.rollouts.counts import RingCounts, Standing
from control.rollouts.next_words import what_next
from control.rollouts.spec import RolloutSpec
from control.rollouts.states import RolloutState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SPEC = RolloutSpec.model_validate(
    {"rings": [{"name": "canary", "percent": 10, "soak_seconds": 3600}, {"name": "all", "failure": {"count": 5}}]}
)
PASSED = RingProgress(opened_at=NOW - 3 * HOUR, soak_since=NOW - 2 * HOUR, passed_at=NOW - HOUR)
OPEN = RingProgress(opened_at=NOW - HOUR)
SHUT = RingProgress()


def _course(*rings: RingProgress, state: RolloutState = RolloutState.RUNNING, **spec: Any) -> Course:
    return Course(state, SPEC.model_copy(update=spec), rings or (SHUT, SHUT))


def _ring(**standings: int) -> RingCounts:
    named = {Standing(name.replace("_", "-")): number for name, number in standings.items()}
    return RingCounts(named, {FailureClass.INSTALLER: named.get(Standing.FAILED, 0)})


def _step(course: Course, *counts: RingCounts, now: datetime = NOW) -> tuple[Step, int | None] | None:
    decision = advance(course, counts, now)
    return None if decision is None else (decision.step, decision.ring)


def test_the_first_ring_is_opened_first() -> None:
    decision = advance(_course(), [_ring(held=2), _ring(held=18)], NOW)
    assert decision == Decision(Step.OPEN_RING, 0, "ring canary: 2 devices")


def test_a_ring_waits_for_its_success_gate() -> None:
    course = _course(OPEN, SHUT)
    assert _step(course, _ring(succeeded=1, at_work=1), _ring(held=18)) is None
    assert _step(course, _ring(succeeded=2), _ring(held=18)) == (Step.SOAK, 0)


def test_a_ring_soaks_as_long_as_it_says() -> None:
    course = _course(replace(OPEN, soak_since=NOW), SHUT)
    counts = _ring(succeeded=2), _ring(held=18)
    assert _step(course, *counts, now=NOW + HOUR - timedelta(seconds=1)) is None
    assert _step(course, *counts, now=NOW + HOUR) == (Step.CLOSE_RING, 0)


def test_a_ring_whose_gate_is_not_met_any_more_does_not_pass_however_long_it_soaked() -> None:
    course = _course(replace(OPEN, soak_since=NOW - 9 * HOUR), SHUT)
    assert _step(course, _ring(succeeded=2, at_work=3), _ring()) is None


def test_a_ring_without_devices_does_not_soak() -> None:
    course = _course(replace(OPEN, soak_since=NOW), SHUT)
    assert _step(course, _ring(), _ring(held=1)) == (Step.CLOSE_RING, 0)


def test_the_next_ring_is_opened_when_the_one_before_has_passed() -> None:
    assert _step(_course(PASSED, SHUT), _ring(succeeded=2), _ring(held=18)) == (Step.OPEN_RING, 1)


def test_it_is_finished_when_all_rings_have_passed_and_nobody_is_held() -> None:
    course = _course(PASSED, PASSED)
    assert _step(course, _ring(succeeded=2), _ring(succeeded=17, held=1)) is None
    assert _step(course, _ring(succeeded=2), _ring(succeeded=17, absent=1)) == (Step.FINISH, None)


@pytest.mark.parametrize("rings", [(OPEN, SHUT), (PASSED, OPEN), (PASSED, PASSED)])
def test_failures_halt_it_also_in_a_ring_that_has_passed(rings: tuple[RingProgress, ...]) -> None:
    assert _step(_course(*rings), _ring(succeeded=1, failed=1), _ring()) == (Step.HALT, 0)


def test_failures_of_a_ring_that_is_not_opened_are_no_concern_of_the_rollout() -> None:
    assert _step(_course(OPEN, SHUT), _ring(at_work=2), _ring(failed=9)) is None


def test_it_rolls_back_where_the_operator_wants_that() -> None:
    course = _course(OPEN, SHUT, rollback_on_failure=True)
    assert _step(course, _ring(failed=2), _ring()) == (Step.ROLL_BACK, 0)


def test_failures_that_were_accepted_do_not_halt_it_again() -> None:
    course = _course(replace(OPEN, accepted_failures=1), SHUT)
    assert _step(course, _ring(succeeded=1, failed=1), _ring(held=1)) == (Step.SOAK, 0)


@pytest.mark.parametrize("state", sorted(set(RolloutState) - {RolloutState.RUNNING, RolloutState.ROLLING_BACK}))
def test_by_itself_nothing_happens_in_any_other_state(state: RolloutState) -> None:
    assert _step(_course(OPEN, SHUT, state=state), _ring(failed=9), _ring(held=1)) is None


def test_a_roll_back_is_over_when_nobody_online_is_at_work() -> None:
    course = _course(OPEN, SHUT, state=RolloutState.ROLLING_BACK)
    assert _step(course, _ring(succeeded=1, at_work=1), _ring(held=9)) is None
    assert _step(course, _ring(succeeded=1, retrying=1), _ring(held=9)) is None
    decision = advance(course, [_ring(succeeded=1, failed=1, absent=3), _ring(held=9)], NOW)
    assert decision == Decision(Step.SETTLE, None, "1 devices are back, 1 failed")


@pytest.mark.parametrize(
    ("course", "expected"),
    [
        (_course(state=RolloutState.DRAFT), "nothing moves before it is started"),
        (_course(), "ring canary is about to be opened"),
        (_course(OPEN, SHUT), "ring canary: 0 of 2 as wanted, 90 % are needed"),
        (_course(state=RolloutState.HALTED), "an operator resumes it, rolls it back or cancels it"),
        (_course(state=RolloutState.ROLLING_BACK), "it is over when 2 more devices are back"),
        (_course(PASSED, PASSED), "it is finished when 3 more devices could be admitted"),
    ],
)
def test_what_happens_next_is_said(course: Course, expected: str) -> None:
    assert what_next(course, [_ring(at_work=2), _ring(held=3)]) == expected


def test_while_a_ring_soaks_it_is_said_until_when() -> None:
    course = _course(replace(OPEN, soak_since=NOW), SHUT)
    assert what_next(course, [_ring(succeeded=2), _ring()]) == "ring canary soaks until 2026-03-01 13:00:00 UTC"
