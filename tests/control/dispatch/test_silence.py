"""Which jobs have been silent for too long."""

from datetime import timedelta

import pytest

from contract.jobs import JobState
from control.dispatch.silence import WatchedJob, silent_jobs
from tests.control.plane import MOMENT

LIMIT = timedelta(minutes=15)
HOUR = timedelta(hours=1)


def job(
    state: JobState, *, device: str = "d", silent_for: timedelta, next_in: timedelta | None = None, name: str = "j"
) -> WatchedJob:
    return WatchedJob(
        job_id=name,
        device_id=device,
        state=state,
        last_sign_at=MOMENT - silent_for,
        next_action_at=None if next_in is None else MOMENT + next_in,
        max_run_time=HOUR,
    )


@pytest.mark.parametrize(
    ("watched", "silent"),
    [
        (job(JobState.SENT, silent_for=LIMIT), False),
        (job(JobState.SENT, silent_for=LIMIT + timedelta(seconds=1)), True),
        (job(JobState.RUNNING, silent_for=HOUR), False),
        (job(JobState.RUNNING, silent_for=HOUR + LIMIT + timedelta(seconds=1)), True),
        (job(JobState.WAITING, silent_for=24 * HOUR, next_in=timedelta()), False),
        (job(JobState.WAITING, silent_for=24 * HOUR, next_in=-LIMIT), False),
        (job(JobState.WAITING, silent_for=24 * HOUR, next_in=-LIMIT - timedelta(seconds=1)), True),
    ],
)
def test_each_state_has_its_own_patience(watched: WatchedJob, silent: bool) -> None:
    assert silent_jobs([watched], MOMENT, LIMIT) == (["j"] if silent else [])


def test_what_waits_behind_a_running_job_is_not_silent() -> None:
    running = job(JobState.RUNNING, silent_for=timedelta(minutes=30), name="running")
    behind = job(JobState.SENT, silent_for=timedelta(minutes=30), name="behind")
    elsewhere = job(JobState.SENT, device="other", silent_for=timedelta(minutes=30), name="elsewhere")
    assert silent_jobs([running, behind, elsewhere], MOMENT, LIMIT) == ["elsewhere"]


def test_nobody_waits_behind_a_running_job_that_is_silent_itself() -> None:
    running = job(JobState.RUNNING, silent_for=2 * HOUR, name="running")
    behind = job(JobState.SENT, silent_for=2 * HOUR, name="behind")
    assert silent_jobs([running, behind], MOMENT, LIMIT) == ["running", "behind"]
