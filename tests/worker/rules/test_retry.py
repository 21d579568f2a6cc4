from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobRef
from contract.policy import FailureClass, Limits, RetrySchedule
from contract.report import WaitReason
from worker.rules.retry import REEVALUATION_SECONDS, countdown_seconds, next_action, next_wait, seconds_until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULTS = Limits()
REF = JobRef(job_id=str(uuid4()), generation=4, attempt=3)
DAY_SECONDS = 86_400


@pytest.mark.behaviour("B-56", "B-58")
@pytest.mark.parametrize("failure", set(FailureClass) - {FailureClass.INTERRUPTED})
@pytest.mark.parametrize(
    ("failures", "reason", "seconds"),
    [
        (1, WaitReason.RETRY_INTERVAL, 300),
        (2, WaitReason.RETRY_INTERVAL, 300),
        (3, WaitReason.GRS, DAY_SECONDS),
        (4, WaitReason.RETRY_INTERVAL, 300),
        (6, WaitReason.GRS, DAY_SECONDS),
    ],
)
def test_three_attempts_five_minutes_apart_then_a_day_then_three_more(
    failure: FailureClass, failures: int, reason: WaitReason, seconds: int
) -> None:
    assert next_wait(DEFAULTS, failure, failures) == (reason, seconds)


def test_an_interrupted_attempt_is_followed_at_once_but_the_last_of_its_round_waits_for_the_grs() -> None:
    assert next_wait(DEFAULTS, FailureClass.INTERRUPTED, 1) == (WaitReason.INTERRUPTED, 0)
    assert next_wait(DEFAULTS, FailureClass.INTERRUPTED, 3) == (WaitReason.GRS, DAY_SECONDS)


def test_the_numbers_come_from_the_policy() -> None:
    limits = Limits(attempts=2, retry_interval_seconds=7, grs_seconds=11)
    waits = [next_wait(limits, FailureClass.INSTALLER, failures)[1] for failures in (1, 2, 3, 4)]
    assert waits == [7, 11, 7, 11]


@given(failures=st.integers(1, 500), attempts=st.integers(1, 20), failure=st.sampled_from(FailureClass))
def test_every_round_ends_with_exactly_one_grs_wait(failures: int, attempts: int, failure: FailureClass) -> None:
    limits = Limits(attempts=attempts)
    reasons = [next_wait(limits, failure, number)[0] for number in range(failures, failures + attempts)]
    assert reasons.count(WaitReason.GRS) == 1


def test_a_class_of_failure_may_have_waits_that_grow_from_five_minutes_to_a_day() -> None:
    limits = Limits(schedules={FailureClass.CONTENT: RetrySchedule()})
    waits = [next_wait(limits, FailureClass.CONTENT, failures) for failures in range(1, 12)]
    assert {reason for reason, _ in waits} == {WaitReason.SCHEDULE}
    assert [seconds for _, seconds in waits[:4]] == [300, 600, 1200, 2400]
    assert [seconds for _, seconds in waits[-2:]] == [DAY_SECONDS, DAY_SECONDS]
    assert next_wait(limits, FailureClass.INSTALLER, 3)[0] is WaitReason.GRS


@given(failures=st.integers(1, 10**9), growth=st.floats(1, 100), longest=st.floats(1, 10**9))
def test_a_schedule_never_waits_longer_than_its_longest_wait(failures: int, growth: float, longest: float) -> None:
    schedule = RetrySchedule(growth=growth, longest_wait_seconds=longest)
    assert 0 < schedule.wait_seconds(min(failures, 10_000)) <= longest


def test_attempts_count_on_within_their_generation() -> None:
    action = next_action(REF, at=NOW, reason=WaitReason.GRS, now=NOW)
    assert (action.generation, action.attempt) == (4, 4)


@pytest.mark.behaviour("2.6 GRS")
def test_a_device_looks_again_every_eight_hours_of_a_long_wait() -> None:
    action = next_action(REF, at=NOW + timedelta(days=1), reason=WaitReason.GRS, now=NOW)
    assert action.looks_again_at == NOW + timedelta(hours=8)
    assert countdown_seconds(action, now=NOW) == REEVALUATION_SECONDS == timedelta(hours=8).total_seconds()


def test_a_short_wait_is_slept_through() -> None:
    action = next_action(REF, at=NOW + timedelta(minutes=5), reason=WaitReason.RETRY_INTERVAL, now=NOW)
    assert action.looks_again_at is None
    assert countdown_seconds(action, now=NOW + timedelta(seconds=100)) == 200


@pytest.mark.parametrize(("wait", "seconds"), [(timedelta(minutes=5), 300), (timedelta(days=1), REEVALUATION_SECONDS)])
def test_no_chain_sleeps_longer_than_was_stated_whatever_the_clock_says(wait: timedelta, seconds: float) -> None:
    action = next_action(REF, at=NOW + wait, reason=WaitReason.RETRY_INTERVAL, now=NOW)
    assert countdown_seconds(action, now=NOW - timedelta(days=1)) == seconds


def test_what_is_overdue_is_due_now() -> None:
    assert seconds_until(NOW, now=NOW + timedelta(days=1)) == 0
