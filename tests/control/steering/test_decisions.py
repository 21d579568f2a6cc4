"""What "retry now" and "cancel" do, wherever a job is; doing it twice changes nothing more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.jobs import JobState
from contract.states import Outcome
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.live_states import LIVE_STATES
from control.steering.decisions import Change, Standing, Verdict, decide_cancel, decide_detection, decide_retry

SENT = Standing(
    state=JobState.SENT,
    outcome=None,
    generation_reason=GenerationReason.PLANNED,
    cancel_reason=None,
    was_sent=True,
    is_newest=True,
    order=None,
)
RETRIED = replace(SENT, generation_reason=GenerationReason.OPERATOR)
PLANNED = replace(SENT, state=JobState.PLANNED, was_sent=False)
RUNNING = replace(SENT, state=JobState.RUNNING)
WAITING = replace(SENT, state=JobState.WAITING, outcome=Outcome.FAILED)
CANCELLING = replace(SENT, state=JobState.CANCELLING, order=OrderKind.CANCEL, cancel_reason=CancelReason.OPERATOR)
INSTALLED = replace(SENT, state=JobState.FINISHED, outcome=Outcome.INSTALLED)
FAILED = replace(SENT, state=JobState.FINISHED, outcome=Outcome.FAILED)
CANCELLED = replace(SENT, state=JobState.CANCELLED, cancel_reason=CancelReason.OPERATOR)
UNWANTED = replace(CANCELLED, cancel_reason=CancelReason.SUPERSEDED)

REPLACED = Verdict(Change.REFUSED, ErrorCode.JOB_REPLACED)
ENDED = Verdict(Change.REFUSED, ErrorCode.JOB_ENDED)
UNDER_WAY = Verdict(Change.REFUSED, ErrorCode.JOB_UNDER_WAY)
RESENT = Verdict(Change.RESENT)
UNCHANGED = Verdict(Change.UNCHANGED)


@pytest.mark.parametrize(
    ("job", "gently", "by_force"),
    [
        (PLANNED, UNCHANGED, UNCHANGED),
        (SENT, RESENT, RESENT),
        (RETRIED, UNCHANGED, UNCHANGED),
        (RUNNING, UNDER_WAY, RESENT),
        (WAITING, RESENT, RESENT),
        (CANCELLING, RESENT, RESENT),
        (INSTALLED, ENDED, RESENT),
        (FAILED, RESENT, RESENT),
        (CANCELLED, RESENT, RESENT),
        (UNWANTED, REPLACED, REPLACED),
        (replace(FAILED, is_newest=False), REPLACED, REPLACED),
        (replace(WAITING, is_newest=False), RESENT, RESENT),
    ],
)
def test_retry(job: Standing, gently: Verdict, by_force: Verdict) -> None:
    assert decide_retry(job, force=False) == gently
    assert decide_retry(job, force=True) == by_force


LETS_GO = Verdict(Change.CANCELLING)


@pytest.mark.parametrize(
    ("job", "gently", "by_force"),
    [
        (PLANNED, Verdict(Change.CANCELLED), Verdict(Change.CANCELLED)),
        (replace(PLANNED, was_sent=True), LETS_GO, LETS_GO),
        (SENT, LETS_GO, LETS_GO),
        (RUNNING, LETS_GO, LETS_GO),
        (WAITING, LETS_GO, LETS_GO),
        (CANCELLING, UNCHANGED, LETS_GO),
        (replace(CANCELLING, order=OrderKind.STOP), UNCHANGED, UNCHANGED),
        (INSTALLED, ENDED, ENDED),
        (FAILED, ENDED, ENDED),
        (CANCELLED, UNCHANGED, UNCHANGED),
    ],
)
def test_cancel(job: Standing, gently: Verdict, by_force: Verdict) -> None:
    assert decide_cancel(job, force=False) == gently
    assert decide_cancel(job, force=True) == by_force


standings = st.builds(
    Standing,
    state=st.sampled_from(JobState),
    outcome=st.none() | st.sampled_from(Outcome),
    generation_reason=st.sampled_from(GenerationReason),
    cancel_reason=st.none() | st.sampled_from(CancelReason),
    was_sent=st.booleans(),
    is_newest=st.booleans(),
    order=st.none() | st.sampled_from(OrderKind),
)


@given(standings, st.booleans())
def test_whoever_retries_twice_sends_once(job: Standing, force: bool) -> None:
    if decide_retry(job, force=force).change is Change.RESENT:
        again = replace(job, state=JobState.PLANNED, generation_reason=GenerationReason.OPERATOR, cancel_reason=None)
        assert decide_retry(again, force=force) == UNCHANGED
        assert decide_retry(replace(again, state=JobState.SENT), force=force) == UNCHANGED


@given(standings, st.booleans())
def test_nothing_live_is_refused_to_be_cancelled_and_what_is_over_is_never_ordered(job: Standing, force: bool) -> None:
    change = decide_cancel(job, force=force).change
    assert (change is Change.REFUSED) == (job.state is JobState.FINISHED)
    assert job.state in LIVE_STATES or change in {Change.REFUSED, Change.UNCHANGED}


@pytest.mark.parametrize(
    ("job", "verdict"),
    [
        (PLANNED, UNCHANGED),
        (SENT, UNCHANGED),
        (RUNNING, UNCHANGED),
        (WAITING, RESENT),
        (CANCELLING, ENDED),
        (INSTALLED, RESENT),
        (FAILED, RESENT),
        (CANCELLED, ENDED),
        (UNWANTED, ENDED),
        (replace(INSTALLED, is_newest=False), REPLACED),
    ],
)
def test_rerun_detection(job: Standing, verdict: Verdict) -> None:
    assert decide_detection(job) == verdict
