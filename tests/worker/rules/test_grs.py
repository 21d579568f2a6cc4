from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.policy import Policy
from contract.report import WaitReason
from contract.states import Intent
from worker.rules.grs import Hold, failures_in_a_row, hold_key, holds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = JobRef(job_id=str(uuid4()), generation=4, attempt=3)
OTHER_JOB = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
HOLD = Hold(
    key="key",
    ref=REF,
    failures=3,
    since=NOW - timedelta(hours=1),
    until=NOW + timedelta(hours=23),
    reason=WaitReason.GRS,
    error=None,
)

pytestmark = pytest.mark.behaviour("2.6 GRS")


def _policy(**changes: Any) -> Policy:
    facts: dict[str, Any] = {"app_id": "editor", "revision": 1, "intent": Intent.REQUIRED, **changes}
    return Policy.model_construct(**facts)


def test_without_a_failure_nothing_is_withheld() -> None:
    assert not holds(None, "key", REF, asked_generation=0, now=NOW)


@pytest.mark.parametrize(
    "ref", [REF, REF.next_attempt(), REF.model_copy(update={"generation": 5, "attempt": 1}), OTHER_JOB]
)
def test_the_same_revision_is_withheld_whichever_job_or_generation_brings_it(ref: JobRef) -> None:
    assert holds(HOLD, "key", ref, asked_generation=0, now=NOW)


def test_the_wait_ends_at_its_time() -> None:
    assert holds(HOLD, "key", REF, asked_generation=0, now=HOLD.until - timedelta(seconds=2))
    assert not holds(HOLD, "key", REF, asked_generation=0, now=HOLD.until)


def test_anything_else_than_what_failed_is_tried_at_once() -> None:
    assert not holds(HOLD, "other key", REF, asked_generation=0, now=NOW)


def test_a_generation_that_was_asked_for_after_the_failure_is_tried_at_once() -> None:
    newer = REF.model_copy(update={"generation": 5})
    assert not holds(HOLD, "key", newer, asked_generation=5, now=NOW)
    assert holds(HOLD, "key", newer, asked_generation=4, now=NOW)
    assert not holds(HOLD, "key", OTHER_JOB, asked_generation=1, now=NOW)


def test_a_clock_set_back_to_before_the_failure_makes_the_wait_begin_anew() -> None:
    now = HOLD.since - timedelta(days=1)
    assert holds(HOLD, "key", REF, asked_generation=0, now=now)
    begun = HOLD.as_of(now)
    assert (begun.since, begun.until) == (now, now + timedelta(days=1))
    assert not holds(begun, "key", REF, asked_generation=0, now=begun.until)


def test_a_key_tells_revisions_and_intents_apart_and_not_jobs() -> None:
    known = hold_key(_policy(), REF.job_id)
    assert known == hold_key(_policy(), OTHER_JOB.job_id)
    others = [_policy(app_id="viewer"), _policy(revision=2), _policy(intent=Intent.UNINSTALL)]
    assert len({known, *(hold_key(policy, REF.job_id) for policy in others)}) == 4


def test_an_available_app_that_is_asked_for_anew_has_another_key() -> None:
    available = _policy(intent=Intent.AVAILABLE)
    assert hold_key(available, REF.job_id) != hold_key(available, OTHER_JOB.job_id)


def test_failures_count_on_over_generations_and_jobs() -> None:
    assert failures_in_a_row(None, "key", REF, asked_generation=0) == 1
    assert failures_in_a_row(HOLD, "key", OTHER_JOB, asked_generation=0) == 4
    assert failures_in_a_row(HOLD, "key", REF.next_attempt(), asked_generation=0) == 4


def test_an_attempt_is_counted_once() -> None:
    assert failures_in_a_row(HOLD, "key", REF, asked_generation=0) == 3


def test_what_was_asked_for_or_is_new_begins_a_round_of_its_own() -> None:
    assert failures_in_a_row(HOLD, "other key", REF.next_attempt(), asked_generation=0) == 1
    assert failures_in_a_row(HOLD, "key", REF.model_copy(update={"generation": 5}), asked_generation=5) == 1
