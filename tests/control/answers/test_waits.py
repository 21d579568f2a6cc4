"""What a job waits for: every job that is not over waits for something that can be named."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import WaitReason
from control.answers.waits import Situation, waiting_of
from control.cancel_reasons import CancelReason
from control.live_states import LIVE_STATES
from control.waiting import WaitingFor
from tests.control.plane import MOMENT

MINUTE = timedelta(minutes=1)
SENT = Situation(
    now=MOMENT,
    state=JobState.SENT,
    created_at=MOMENT - 3 * MINUTE,
    seen_at=MOMENT - MINUTE,
    online=True,
    overdue_at=MOMENT + MINUTE,
    last_sign_at=MOMENT - 2 * MINUTE,
    sent_at=MOMENT - 2 * MINUTE,
)
PLANNED = replace(SENT, state=JobState.PLANNED, sent_at=None, last_sign_at=None)
RUNNING = replace(SENT, state=JobState.RUNNING, phase=Phase.DOWNLOAD, phase_since=MOMENT - MINUTE)
WAITING = replace(
    SENT,
    state=JobState.WAITING,
    phase=Phase.INSTALL,
    next_action_at=MOMENT + MINUTE,
    next_action_reason=WaitReason.GRS,
)
DUE = replace(WAITING, next_action_at=MOMENT - MINUTE)
CANCELLING = replace(RUNNING, state=JobState.CANCELLING, cancel_reason=CancelReason.OPERATOR)


@pytest.mark.parametrize(
    ("job", "for_what", "words"),
    [
        (replace(PLANNED, online=False), WaitingFor.DEVICE, "offline since 2026-03-01 11:59:00 UTC; it is sent when"),
        (PLANNED, WaitingFor.DISPATCH, "is sent when"),
        (replace(PLANNED, queued_at=MOMENT - MINUTE), WaitingFor.DISPATCH, "the broker is away, or others"),
        (SENT, WaitingFor.BEGIN, "if nothing is heard until then it is sent anew"),
        (replace(SENT, ahead="Office"), WaitingFor.OTHER_JOB, "works on Office first"),
        (replace(SENT, online=False), WaitingFor.DEVICE, "it goes on when the device is back"),
        (replace(SENT, overdue_at=MOMENT - MINUTE), WaitingFor.OVERDUE, "the job was sent at 2026-03-01 11:58:00 UTC"),
        (RUNNING, WaitingFor.PHASE, "download is in progress"),
        (replace(RUNNING, ahead="Office"), WaitingFor.PHASE, "download is in progress"),
        (replace(RUNNING, ahead="Office", phase_ended=True), WaitingFor.OTHER_JOB, "works on Office first"),
        (replace(RUNNING, phase_ended=True), WaitingFor.PHASE, "the phase after download begins"),
        (replace(RUNNING, overdue_at=MOMENT - MINUTE), WaitingFor.OVERDUE, "overdue: download began at"),
        (
            replace(
                RUNNING,
                next_action_at=MOMENT + MINUTE,
                next_action_reason=WaitReason.UNAVAILABLE,
                next_action_detail="HTTP 503",
            ),
            WaitingFor.NEXT_TRY,
            "download goes on at 2026-03-01 12:01:00 UTC because a part that the phase needs does not answer",
        ),
        (WAITING, WaitingFor.NEXT_ATTEMPT, "next attempt at 2026-03-01 12:01:00 UTC because all attempts failed"),
        (replace(WAITING, online=False), WaitingFor.NEXT_ATTEMPT, "next attempt at"),
        (DUE, WaitingFor.BEGIN, "next attempt due since 2026-03-01 11:59:00 UTC"),
        (replace(DUE, ahead="Office"), WaitingFor.OTHER_JOB, "works on Office first"),
        (replace(DUE, overdue_at=MOMENT - MINUTE), WaitingFor.OVERDUE, "the next attempt was due"),
        (replace(DUE, online=False), WaitingFor.DEVICE, "it goes on when the device is back"),
        (CANCELLING, WaitingFor.CANCELLATION, "is told to let go of it: an operator cancelled it"),
        (replace(CANCELLING, online=False), WaitingFor.DEVICE, "told to let go of it when it checks in"),
    ],
)
def test_the_reason_is_said(job: Situation, for_what: WaitingFor, words: str) -> None:
    waiting = waiting_of(job)
    assert waiting.for_what is for_what
    assert words in waiting.words


@pytest.mark.parametrize(("job", "until"), [(WAITING, WAITING.next_action_at), (SENT, SENT.overdue_at)])
def test_a_time_that_is_known_is_given(job: Situation, until: object) -> None:
    assert waiting_of(job).until == until


def test_what_is_over_waits_for_nothing_and_a_cancelled_job_says_why() -> None:
    finished = waiting_of(replace(SENT, state=JobState.FINISHED))
    assert (finished.for_what, finished.words) == (None, "")
    expired = replace(SENT, state=JobState.CANCELLED, cancel_reason=CancelReason.EXPIRED)
    assert "silent for too long" in waiting_of(expired).words


moments = st.timedeltas(-timedelta(days=2), timedelta(days=2)).map(lambda span: MOMENT + span)
situations = st.builds(
    Situation,
    now=st.just(MOMENT),
    state=st.sampled_from(JobState),
    created_at=moments,
    seen_at=moments,
    online=st.booleans(),
    overdue_at=moments,
    last_sign_at=st.none() | moments,
    sent_at=st.none() | moments,
    phase=st.none() | st.sampled_from(Phase),
    phase_since=st.none() | moments,
    phase_ended=st.booleans(),
    next_action_at=st.none() | moments,
    next_action_reason=st.none() | st.sampled_from(WaitReason),
    cancel_reason=st.none() | st.sampled_from(CancelReason),
    queued_at=st.none() | moments,
    ahead=st.none() | st.just("Office"),
)


@given(situations)
def test_no_job_that_is_not_over_is_without_a_reason(job: Situation) -> None:
    waiting = waiting_of(job)
    live = job.state in LIVE_STATES
    assert (waiting.for_what is not None) == live
    assert bool(waiting.words) or not live
    if waiting.for_what in {WaitingFor.NEXT_ATTEMPT, WaitingFor.NEXT_TRY}:
        assert waiting.until == job.next_action_at
