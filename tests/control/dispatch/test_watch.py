"""Which jobs are overdue, and which may have got lost."""

from datetime import timedelta
from typing import Any

import pytest

from contract.jobs import JobState
from contract.phases import PHASES, Phase
from control.dispatch.phase_limits import PHASE_LIMITS, phase_limit
from control.dispatch.watch import WatchedJob, after_others, overdue_jobs, quiet_jobs
from tests.control.plane import MOMENT

LIMIT = timedelta(minutes=15)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
INSTALL_LIMIT = HOUR + timedelta(minutes=15)


def job(
    state: JobState,
    *,
    device: str = "d",
    silent_for: timedelta,
    next_in: timedelta | None = None,
    name: str = "j",
    phase: Phase | None = None,
    **fields: Any,
) -> WatchedJob:
    return WatchedJob(
        job_id=name,
        device_id=device,
        state=state,
        last_sign_at=MOMENT - silent_for,
        phase=phase,
        next_action_at=None if next_in is None else MOMENT + next_in,
        max_run_time=HOUR,
        **fields,
    )


def names(jobs: list[WatchedJob]) -> list[str]:
    return [job.job_id for job in jobs]


RUNNING = JobState.RUNNING


@pytest.mark.parametrize(
    ("watched", "overdue"),
    [
        (job(JobState.SENT, silent_for=LIMIT), False),
        (job(JobState.SENT, silent_for=LIMIT + SECOND), True),
        (job(RUNNING, phase=Phase.INSTALL, silent_for=INSTALL_LIMIT), False),
        (job(RUNNING, phase=Phase.INSTALL, silent_for=INSTALL_LIMIT + SECOND), True),
        (job(RUNNING, phase=Phase.POLL, silent_for=LIMIT), False),
        (job(RUNNING, phase=Phase.POLL, silent_for=LIMIT + SECOND), True),
        (job(RUNNING, phase=Phase.POLL, silent_for=HOUR, next_in=-LIMIT), False),
        (job(RUNNING, phase=Phase.POLL, silent_for=HOUR, next_in=-LIMIT - SECOND), True),
        (job(RUNNING, phase=Phase.DOWNLOAD, silent_for=SECOND, advanced_at=MOMENT - HOUR - SECOND), True),
        (job(JobState.CANCELLING, phase=Phase.POLL, silent_for=LIMIT + SECOND), True),
        (job(JobState.CANCELLING, phase=Phase.INSTALL, silent_for=HOUR), False),
        (job(JobState.CANCELLING, silent_for=LIMIT + SECOND), True),
        (job(JobState.WAITING, phase=Phase.REPORT, silent_for=24 * HOUR, next_in=-LIMIT), False),
        (job(JobState.WAITING, phase=Phase.REPORT, silent_for=24 * HOUR, next_in=-LIMIT - SECOND), True),
    ],
)
def test_each_state_and_phase_has_its_own_patience(watched: WatchedJob, overdue: bool) -> None:
    assert names(overdue_jobs([watched], MOMENT, LIMIT)) == (["j"] if overdue else [])


def test_every_phase_has_a_limit() -> None:
    assert {phase for phase in PHASES if phase not in PHASE_LIMITS} == {Phase.INSTALL}
    assert all(phase_limit(phase, HOUR) >= LIMIT for phase in PHASES)


def test_what_waits_behind_a_job_that_runs_in_good_time_is_not_overdue() -> None:
    running = job(RUNNING, phase=Phase.INSTALL, silent_for=HOUR, name="running")
    behind = job(JobState.SENT, silent_for=HOUR, name="behind")
    elsewhere = job(JobState.SENT, silent_for=HOUR, device="other", name="elsewhere")
    assert names(overdue_jobs([running, behind, elsewhere], MOMENT, LIMIT)) == ["elsewhere"]


def test_what_waits_behind_a_job_that_is_overdue_itself_is_sent_anew_with_it() -> None:
    running = job(RUNNING, phase=Phase.INSTALL, silent_for=3 * HOUR, name="running")
    behind = job(JobState.SENT, silent_for=3 * HOUR, name="behind")
    assert names(overdue_jobs([running, behind], MOMENT, LIMIT)) == ["running", "behind"]


def test_a_device_has_the_limit_again_once_it_has_ended_another_job() -> None:
    behind = job(JobState.SENT, silent_for=HOUR)
    assert after_others([behind], {"d": MOMENT - LIMIT}, MOMENT, LIMIT) == []
    assert names(after_others([behind], {"d": MOMENT - LIMIT - SECOND}, MOMENT, LIMIT)) == ["j"]
    assert names(after_others([behind], {"d": behind.last_sign_at}, MOMENT, LIMIT)) == ["j"]


QUIET = timedelta(seconds=30)


@pytest.mark.parametrize(
    ("watched", "quiet"),
    [
        (job(JobState.SENT, silent_for=QUIET), False),
        (job(JobState.SENT, silent_for=QUIET + SECOND), True),
        (job(JobState.WAITING, silent_for=HOUR, next_in=HOUR), False),
        (job(JobState.WAITING, silent_for=HOUR, next_in=-QUIET), False),
        (job(JobState.WAITING, silent_for=HOUR, next_in=-QUIET - SECOND), True),
        (job(RUNNING, phase=Phase.DOWNLOAD, silent_for=HOUR), True),
        (job(RUNNING, phase=Phase.DOWNLOAD, silent_for=HOUR, next_in=LIMIT), False),
        (job(RUNNING, phase=Phase.INSTALL, silent_for=HOUR), False),
        (job(RUNNING, phase=Phase.INSTALL, silent_for=HOUR, phase_ended=True), True),
        (job(RUNNING, phase=Phase.INSTALL, silent_for=HOUR, agent_started_at=MOMENT - 2 * HOUR), False),
        (job(RUNNING, phase=Phase.INSTALL, silent_for=HOUR, agent_started_at=MOMENT - LIMIT), True),
        (job(JobState.CANCELLING, phase=Phase.INSTALL, silent_for=HOUR), False),
        (job(JobState.CANCELLING, phase=Phase.REPORT, silent_for=HOUR), True),
    ],
)
def test_the_broker_is_asked_about_what_is_due_and_quiet(watched: WatchedJob, quiet: bool) -> None:
    assert names(quiet_jobs([watched], MOMENT, QUIET)) == (["j"] if quiet else [])
