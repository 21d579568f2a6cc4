"""Which jobs are overdue, and which may have got lost in the broker, as pure functions.

| the job is | overdue when nothing was heard until |
|---|---|
| sent | the silence limit after it was sent |
| running, cancelling | its phase's limit after it last got on, or after the time it said it would wait until |
| waiting | the silence limit after the time its device gave |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.jobs import JobState
from contract.phases import Phase
from control.dispatch.phase_limits import phase_limit

#: States of jobs that a device has, or is about to have.
WATCHED_STATES: Final = (JobState.SENT, JobState.RUNNING, JobState.WAITING, JobState.CANCELLING)


@dataclass(frozen=True)
class WatchedJob:
    """A job that a device has, or is about to have.

    Attributes:
        last_sign_at: When it was last sent or heard of.
        advanced_at: When it last got on: another phase, more bytes.
        phase_ended: Its phase's end is known, the next one's begin is not.
        next_action_at: Until when its device said it would wait.
        max_run_time: How long its installer may run.
        agent_started_at: When its device's agent last started.
    """

    job_id: str
    device_id: str
    state: JobState
    last_sign_at: datetime
    advanced_at: datetime | None = None
    phase: Phase | None = None
    phase_ended: bool = False
    next_action_at: datetime | None = None
    max_run_time: timedelta = timedelta()
    agent_started_at: datetime | None = None

    @property
    def resumes_at(self) -> datetime:
        """When something is to be heard of it next, at the earliest."""
        return max(self.last_sign_at, self.next_action_at or self.last_sign_at)


def expected_by(job: WatchedJob, silence_limit: timedelta) -> datetime:
    """Until when something is to be heard of the job."""
    if job.state in {JobState.SENT, JobState.WAITING} or job.phase is None:
        return job.resumes_at + silence_limit
    got_on = job.advanced_at or job.last_sign_at
    return max(got_on, job.next_action_at or got_on) + phase_limit(job.phase, job.max_run_time)


def overdue_jobs(jobs: Sequence[WatchedJob], now: datetime, silence_limit: timedelta) -> list[WatchedJob]:
    """The jobs that are overdue.

    A device works on one app at a time: what waits behind a job that is running in good time is not overdue.
    """
    late = [job for job in jobs if now > expected_by(job, silence_limit)]
    late_ids = {job.job_id for job in late}
    busy = {job.device_id for job in jobs if job.state is JobState.RUNNING and job.job_id not in late_ids}
    return [job for job in late if job.device_id not in busy]


def after_others(
    jobs: Sequence[WatchedJob], freed_at: Mapping[str, datetime], now: datetime, silence_limit: timedelta
) -> list[WatchedJob]:
    """Those of the overdue jobs whose device has had the silence limit for them since it ended another job.

    Args:
        jobs: Overdue jobs.
        freed_at: When a device last ended an attempt of any job, by device.
        now: The time.
        silence_limit: See `expected_by`.
    """
    return [
        job
        for job in jobs
        if job.device_id not in freed_at
        or job.last_sign_at >= freed_at[job.device_id]
        or now > freed_at[job.device_id] + silence_limit
    ]


def quiet_jobs(jobs: Sequence[WatchedJob], now: datetime, quiet_for: timedelta) -> list[WatchedJob]:
    """The jobs that could be lost if the broker has nothing for their device: due, and not heard of for a while.

    An installer that is running holds its job even where the broker has lost the message, unless the agent has
    started again since.
    """
    return [job for job in jobs if now > job.resumes_at + quiet_for and not _may_be_installing(job)]


def _may_be_installing(job: WatchedJob) -> bool:
    restarted = job.agent_started_at is not None and job.agent_started_at > job.last_sign_at
    return job.phase is Phase.INSTALL and not job.phase_ended and job.state is not JobState.WAITING and not restarted
