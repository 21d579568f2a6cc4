"""What a device's word changes, as a function: in any order, once, and never backwards."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobRef, JobState
from contract.phases import PHASES, Phase
from contract.report import NextAction, Progress, Report, Wait, WaitReason
from contract.states import Outcome
from control.cancel_reasons import CancelReason
from control.ingest.transitions import JobStatus, after_progress, after_report
from tests.control.plane import MOMENT, failed_report_of, phase_record, progress_of, report_of, retry_at

JOB = str(UUID(int=1))
SENT = JobStatus(state=JobState.SENT, generation=1)
LIVE = [JobState.PLANNED, JobState.SENT, JobState.RUNNING, JobState.WAITING]


def progressed(status: JobStatus, progress: Progress, now: datetime = MOMENT) -> JobStatus:
    return after_progress(status, progress, now)


def ref(generation: int = 1, attempt: int = 1) -> JobRef:
    return JobRef(job_id=JOB, generation=generation, attempt=attempt)


@pytest.mark.parametrize("state", LIVE)
def test_progress_means_running(state: JobState) -> None:
    status = progressed(JobStatus(state=state, generation=1), progress_of(ref(), Phase.UNPACK, bytes_done=5))
    assert (status.state, status.phase, status.bytes_done) == (JobState.RUNNING, Phase.UNPACK, 5)


def test_older_progress_does_not_take_a_newer_ones_place() -> None:
    newer = progressed(SENT, progress_of(ref(), Phase.INSTALL, sequence=5))
    assert progressed(newer, progress_of(ref(), Phase.DOWNLOAD, sequence=4)) == newer
    assert progressed(newer, progress_of(ref(), Phase.INSTALL, sequence=5)) == newer


def test_progress_that_comes_after_its_report_does_not_revive_the_attempt() -> None:
    waiting = after_report(SENT, failed_report_of(ref(), JOB, next_action=retry_at(MOMENT, ref())), MOMENT)
    assert progressed(waiting, progress_of(ref(), sequence=99)) == waiting
    assert progressed(waiting, progress_of(ref(attempt=2))).state is JobState.RUNNING


def test_a_failed_attempt_with_a_next_one_waits_with_time_and_reason() -> None:
    at = MOMENT + timedelta(minutes=5)
    status = after_report(SENT, failed_report_of(ref(), JOB, next_action=retry_at(at, ref())), MOMENT)
    assert (status.state, status.outcome) == (JobState.WAITING, Outcome.FAILED)
    assert (status.next_action_at, status.next_action_reason) == (at, WaitReason.RETRY_INTERVAL)
    assert (status.raw_exit_code, status.error_code, status.phase) == (7, "installer-failed", Phase.INSTALL)
    assert status.finished_at is None


def test_the_generation_a_device_will_begin_after_grs_is_the_current_one_at_once() -> None:
    action = NextAction(since=MOMENT, at=MOMENT, reason=WaitReason.GRS, generation=2, attempt=1)
    status = after_report(SENT, failed_report_of(ref(attempt=3), JOB, next_action=action), MOMENT)
    assert (status.state, status.generation) == (JobState.WAITING, 2)
    assert progressed(status, progress_of(ref(generation=2))).state is JobState.RUNNING
    assert progressed(status, progress_of(ref(attempt=4))) == status


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
    assert progressed(over, progress_of(ref(attempt=9))) == over


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
    return progressed(status, word, now) if isinstance(word, Progress) else after_report(status, word, now)


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


def test_a_phase_that_waits_says_for_what_and_until_when() -> None:
    at = MOMENT + timedelta(minutes=2)
    wait = Wait(since=MOMENT, at=at, reason=WaitReason.UNAVAILABLE, detail="the store does not answer")
    held_up = progressed(SENT, progress_of(ref(), sequence=1, waiting=wait))
    assert (held_up.state, held_up.next_action_at, held_up.next_action_detail) == (JobState.RUNNING, at, wait.detail)
    again = progressed(held_up, progress_of(ref(), sequence=2))
    assert (again.next_action_at, again.next_action_reason, again.next_action_detail) == (None, None, "")


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(days=1)])
def test_a_device_whose_clock_is_ahead_is_expected_after_the_wait_it_stated(ahead: timedelta) -> None:
    since, at = MOMENT + ahead, MOMENT + ahead + timedelta(minutes=5)
    action = NextAction(since=since, at=at, reason=WaitReason.RETRY_INTERVAL, generation=1, attempt=2)
    waiting = after_report(SENT, failed_report_of(ref(), JOB, next_action=action), MOMENT)
    wait = Wait(since=since, at=at, reason=WaitReason.UNAVAILABLE)
    held_up = progressed(SENT, progress_of(ref(), sequence=1, waiting=wait))
    assert waiting.next_action_at == held_up.next_action_at == MOMENT + timedelta(minutes=5)


def test_only_what_gets_on_counts_as_getting_on() -> None:
    later = MOMENT + timedelta(minutes=1)
    begun = progressed(SENT, progress_of(ref(), sequence=1, bytes_done=5))
    repeated = progressed(begun, progress_of(ref(), sequence=2, bytes_done=5), later)
    assert (repeated.phase_since, repeated.advanced_at) == (MOMENT, MOMENT)
    more = progressed(repeated, progress_of(ref(), sequence=3, bytes_done=6), later)
    assert (more.phase_since, more.advanced_at) == (MOMENT, later)
    unpacking = progressed(repeated, progress_of(ref(), Phase.UNPACK, sequence=3), later)
    assert (unpacking.phase_since, unpacking.advanced_at) == (later, later)


CANCELLING = JobStatus(state=JobState.CANCELLING, generation=1, cancel_reason=CancelReason.OPERATOR)


def test_a_job_that_is_being_cancelled_stays_so_while_its_device_goes_on() -> None:
    assert progressed(CANCELLING, progress_of(ref())).state is JobState.CANCELLING
    failed = after_report(CANCELLING, failed_report_of(ref(), JOB, next_action=retry_at(MOMENT, ref())), MOMENT)
    assert (failed.state, failed.next_action_at) == (JobState.CANCELLING, None)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Outcome.CANCELLED, JobState.CANCELLED, CancelReason.OPERATOR),
        (Outcome.FAILED, JobState.CANCELLED, CancelReason.OPERATOR),
        (Outcome.INSTALLED, JobState.FINISHED, None),
        (Outcome.NOT_APPLICABLE, JobState.FINISHED, None),
    ],
)
def test_the_last_report_ends_a_cancelling_job_as_it_really_ended(
    outcome: Outcome, state: JobState, reason: CancelReason | None
) -> None:
    ended = after_report(CANCELLING, report_of(ref(), outcome=outcome), MOMENT)
    assert (ended.state, ended.cancel_reason, ended.outcome) == (state, reason, outcome)
    assert ended.finished_at == MOMENT


def one_life(attempts: int, progress: list[int], *, succeeds: bool) -> list[Progress | Report]:
    """All that an honest device says about the second generation of a job."""
    said: list[Progress | Report] = []
    for attempt in range(1, attempts + 1):
        now = ref(2, attempt)
        said += [
            progress_of(now, PHASES[number % len(PHASES)], number, bytes_done=number)
            for number in range(1, progress[attempt - 1] + 1)
        ]
        is_last = attempt == attempts
        if is_last and succeeds:
            said.append(report_of(now))
        else:
            at = MOMENT + timedelta(minutes=attempt)
            said.append(failed_report_of(now, JOB, next_action=retry_at(at, now)))
    return said


#: When a word came, and a size that only progress knows, which is of no use once the attempt has ended.
BESIDE_THE_POINT: dict[str, Any] = {"phase_since": None, "advanced_at": None, "bytes_total": 0, "finished_at": None}


@given(
    attempts=st.integers(1, 3),
    progress=st.lists(st.integers(0, 4), min_size=3, max_size=3),
    succeeds=st.booleans(),
    ended=st.booleans(),
    data=st.data(),
)
def test_whatever_the_order_and_however_often_the_end_is_the_same(
    attempts: int, progress: list[int], succeeds: bool, ended: bool, data: st.DataObject
) -> None:
    said = one_life(attempts, progress, succeeds=succeeds)
    if not ended:
        said = said[:-1]
    twice = data.draw(st.lists(st.sampled_from(said), max_size=5)) if said else []
    void = [report_of(ref(1)), progress_of(ref(1, 3), sequence=9)]
    shuffled = data.draw(st.permutations([*said, *twice, *void]))
    in_order = as_it_came = replace(SENT, generation=2)
    for word in said:
        in_order = heard(in_order, word)
    for spoken in shuffled:
        as_it_came = heard(as_it_came, spoken)
    assert replace(as_it_came, **BESIDE_THE_POINT) == replace(in_order, **BESIDE_THE_POINT)
