"""What a device's word changes, as a function: in any order, once, and never backwards."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobRef, JobState
from contract.phases import PHASES, Phase
from contract.report import NextAction, WaitReason
from contract.states import Outcome
from control.ingest.transitions import JobStatus, after_progress, after_report
from tests.control.plane import MOMENT, failed_report_of, phase_record, progress_of, report_of, retry_at

JOB = str(UUID(int=1))
SENT = JobStatus(state=JobState.SENT, generation=1)
LIVE = [JobState.PLANNED, JobState.SENT, JobState.RUNNING, JobState.WAITING]


def ref(generation: int = 1, attempt: int = 1) -> JobRef:
    return JobRef(job_id=JOB, generation=generation, attempt=attempt)


@pytest.mark.parametrize("state", LIVE)
def test_progress_means_running(state: JobState) -> None:
    status = after_progress(JobStatus(state=state, generation=1), progress_of(ref(), Phase.UNPACK, bytes_done=5))
    assert (status.state, status.phase, status.bytes_done) == (JobState.RUNNING, Phase.UNPACK, 5)


def test_older_progress_does_not_take_a_newer_ones_place() -> None:
    newer = after_progress(SENT, progress_of(ref(), Phase.INSTALL, sequence=5))
    assert after_progress(newer, progress_of(ref(), Phase.DOWNLOAD, sequence=4)) == newer
    assert after_progress(newer, progress_of(ref(), Phase.INSTALL, sequence=5)) == newer


def test_progress_that_comes_after_its_report_does_not_revive_the_attempt() -> None:
    waiting = after_report(SENT, failed_report_of(ref(), JOB, next_action=retry_at(MOMENT, ref())), MOMENT)
    assert after_progress(waiting, progress_of(ref(), sequence=99)) == waiting
    assert after_progress(waiting, progress_of(ref(attempt=2))).state is JobState.RUNNING


def test_a_failed_attempt_with_a_next_one_waits_with_time_and_reason() -> None:
    at = MOMENT + timedelta(minutes=5)
    status = after_report(SENT, failed_report_of(ref(), JOB, next_action=retry_at(at, ref())), MOMENT)
    assert (status.state, status.outcome) == (JobState.WAITING, Outcome.FAILED)
    assert (status.next_action_at, status.next_action_reason) == (at, WaitReason.RETRY_INTERVAL)
    assert (status.raw_exit_code, status.error_code, status.phase) == (7, "installer-failed", Phase.INSTALL)
    assert status.finished_at is None


def test_the_generation_a_device_will_begin_after_grs_is_the_current_one_at_once() -> None:
    action = NextAction(at=MOMENT, reason=WaitReason.GRS, generation=2, attempt=1)
    status = after_report(SENT, failed_report_of(ref(attempt=3), JOB, next_action=action), MOMENT)
    assert (status.state, status.generation) == (JobState.WAITING, 2)
    assert after_progress(status, progress_of(ref(generation=2))).state is JobState.RUNNING
    assert after_progress(status, progress_of(ref(attempt=4))) == status


def test_a_report_without_a_next_action_ends_the_job() -> None:
    status = after_report(SENT, report_of(ref()), MOMENT)
    assert (status.state, status.outcome, status.finished_at) == (JobState.FINISHED, Outcome.INSTALLED, MOMENT)


def test_success_clears_what_an_earlier_attempt_left() -> None:
    waiting = after_report(SENT, failed_report_of(ref(), JOB, next_action=retry_at(MOMENT, ref())), MOMENT)
    done = after_report(waiting, report_of(ref(attempt=2)), MOMENT)
    assert (done.error_code, done.error_number, done.error_detail) == (None, None, "")
    assert (done.next_action_at, done.next_action_reason, done.raw_exit_code) == (None, None, 0)


@pytest.mark.parametrize("state", [JobState.FINISHED, JobState.CANCELLED])
def test_nothing_changes_a_job_that_is_over(state: JobState) -> None:
    over = JobStatus(state=state, generation=1)
    assert after_report(over, report_of(ref(attempt=9)), MOMENT) == over
    assert after_progress(over, progress_of(ref(attempt=9))) == over


def test_the_raw_exit_code_is_taken_from_the_error_where_the_report_has_none() -> None:
    report = failed_report_of(ref(), JOB, next_action=None).model_copy(update={"raw_exit_code": None})
    assert after_report(SENT, report, MOMENT).raw_exit_code == 7


words = st.one_of(
    st.builds(
        lambda generation, attempt, sequence, phase: progress_of(ref(generation, attempt), phase, sequence),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(1, 4),
        st.sampled_from(PHASES),
    ),
    st.builds(
        lambda generation, attempt, sequence, again: failed_report_of(
            ref(generation, attempt),
            JOB,
            next_action=retry_at(MOMENT, ref(generation, attempt)) if again else None,
            sequence=sequence,
            phases=(phase_record(),),
        ),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(1, 2),
        st.booleans(),
    ),
)


def heard(status: JobStatus, word: Any, now: datetime = MOMENT) -> JobStatus:
    return after_progress(status, word) if hasattr(word, "bytes_total") else after_report(status, word, now)


@given(st.lists(words, max_size=12))
def test_hearing_any_word_twice_changes_nothing_more(said: list[Any]) -> None:
    status = SENT
    for word in said:
        status = heard(status, word)
        assert heard(status, word) == status


@given(st.lists(words, max_size=12))
def test_counters_never_go_back(said: list[Any]) -> None:
    status = SENT
    for word in said:
        before, status = status, heard(status, word)
        assert status.generation >= before.generation
        if status.generation == before.generation:
            assert status.reported_attempt >= before.reported_attempt


@given(st.lists(words, max_size=12))
def test_only_a_waiting_job_has_a_next_action_and_it_always_has_its_reason(said: list[Any]) -> None:
    status = SENT
    for word in said:
        status = heard(status, word)
        waiting = status.state is JobState.WAITING
        assert (status.next_action_at is not None) == (status.next_action_reason is not None) == waiting
        assert (status.finished_at is not None) == (status.state is JobState.FINISHED)
