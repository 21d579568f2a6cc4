"""Numbers of jobs: each job is counted once, in the place where somebody who waits for it would look for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import Outcome
from control.answers.summaries import Place, place_of, summarise
from control.views.status import JobCount

COUNTS = st.builds(
    JobCount,
    state=st.sampled_from(JobState),
    outcome=st.none() | st.sampled_from(Outcome),
    reason=st.none() | st.sampled_from(WaitReason),
    online=st.booleans(),
    jobs=st.integers(1, 100_000),
)


@given(st.lists(COUNTS))
def test_the_parts_add_up_to_the_whole(counts: list[JobCount]) -> None:
    found = summarise(counts)
    parts = found.done + found.not_applicable + found.failed + found.cancelled + found.retrying + found.under_way
    assert parts == found.jobs == sum(count.jobs for count in counts)
    assert found.offline <= found.retrying + found.under_way


@pytest.mark.parametrize(
    ("state", "outcome", "reason", "place"),
    [
        (JobState.PLANNED, None, None, Place.UNDER_WAY),
        (JobState.SENT, None, None, Place.UNDER_WAY),
        (JobState.RUNNING, Outcome.FAILED, None, Place.UNDER_WAY),
        (JobState.HELD, Outcome.EVALUATED, None, Place.UNDER_WAY),
        (JobState.WAITING, Outcome.FAILED, WaitReason.RETRY_INTERVAL, Place.RETRYING),
        (JobState.WAITING, Outcome.FAILED, WaitReason.GRS, Place.FAILED),
        (JobState.CANCELLING, None, None, Place.CANCELLED),
        (JobState.CANCELLED, None, None, Place.CANCELLED),
        (JobState.FINISHED, Outcome.INSTALLED, None, Place.DONE),
        (JobState.FINISHED, Outcome.ALREADY_ABSENT, None, Place.DONE),
        (JobState.FINISHED, Outcome.NOT_APPLICABLE, None, Place.NOT_APPLICABLE),
        (JobState.FINISHED, Outcome.REQUIREMENTS_NOT_MET, None, Place.NOT_APPLICABLE),
        (JobState.FINISHED, Outcome.FAILED, None, Place.FAILED),
        (JobState.FINISHED, Outcome.CANCELLED, None, Place.CANCELLED),
        (JobState.FINISHED, None, None, Place.FAILED),
    ],
)
def test_where_a_job_is(state: JobState, outcome: Outcome | None, reason: WaitReason | None, place: Place) -> None:
    assert place_of(state, outcome, reason) is place


def test_the_whole_counts_as_settled_once_nothing_more_happens_soon() -> None:
    waiting = JobCount(state=JobState.WAITING, outcome=Outcome.FAILED, reason=WaitReason.GRS, online=True, jobs=1)
    assert summarise([waiting]).is_settled
    assert not summarise([waiting.model_copy(update={"reason": WaitReason.RETRY_INTERVAL})]).is_settled
    assert summarise([]).is_settled
