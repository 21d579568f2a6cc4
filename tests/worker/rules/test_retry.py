from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobRef
from contract.policy import Limits
from contract.report import WaitReason
from worker.rules.retry import next_action, seconds_until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEFAULTS = Limits()


def _ref(attempt: int) -> JobRef:
    return JobRef(job_id=str(uuid4()), generation=4, attempt=attempt)


@pytest.mark.parametrize(
    ("attempt", "reason", "seconds"),
    [
        (1, WaitReason.RETRY_INTERVAL, 300),
        (2, WaitReason.RETRY_INTERVAL, 300),
        (3, WaitReason.GRS, 86_400),
        (4, WaitReason.RETRY_INTERVAL, 300),
        (6, WaitReason.GRS, 86_400),
    ],
)
def test_three_attempts_five_minutes_apart_then_a_day_then_three_more(
    attempt: int, reason: WaitReason, seconds: int
) -> None:
    action = next_action(_ref(attempt), DEFAULTS, now=NOW, interrupted=False)
    assert action.reason is reason
    assert action.at == NOW + timedelta(seconds=seconds)


def test_attempts_count_on_within_their_generation() -> None:
    action = next_action(_ref(3), DEFAULTS, now=NOW, interrupted=False)
    assert (action.generation, action.attempt) == (4, 4)


def test_an_interrupted_attempt_is_followed_at_once() -> None:
    action = next_action(_ref(1), DEFAULTS, now=NOW, interrupted=True)
    assert action.reason is WaitReason.INTERRUPTED
    assert action.at == NOW


def test_an_interrupted_last_attempt_still_waits_for_the_grs() -> None:
    assert next_action(_ref(3), DEFAULTS, now=NOW, interrupted=True).reason is WaitReason.GRS


def test_the_numbers_come_from_the_policy() -> None:
    limits = Limits(attempts=1, retry_interval_seconds=7, grs_seconds=11)
    assert next_action(_ref(1), limits, now=NOW, interrupted=False).at == NOW + timedelta(seconds=11)
    limits = Limits(attempts=2, retry_interval_seconds=7, grs_seconds=11)
    assert next_action(_ref(1), limits, now=NOW, interrupted=False).at == NOW + timedelta(seconds=7)


@given(attempt=st.integers(1, 500), attempts=st.integers(1, 20), interrupted=st.booleans())
def test_every_round_ends_with_exactly_one_grs_wait(attempt: int, attempts: int, interrupted: bool) -> None:
    limits = Limits(attempts=attempts)
    reasons = [
        next_action(_ref(number), limits, now=NOW, interrupted=interrupted).reason
        for number in range(attempt, attempt + attempts)
    ]
    assert reasons.count(WaitReason.GRS) == 1


def test_a_countdown_is_what_is_left_and_never_negative() -> None:
    action = next_action(_ref(1), DEFAULTS, now=NOW, interrupted=False)
    assert seconds_until(action.at, now=NOW + timedelta(seconds=100)) == 200
    assert seconds_until(action.at, now=NOW + timedelta(days=1)) == 0
