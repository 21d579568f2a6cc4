"""Which jobs have been silent for too long, as a pure function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contract.jobs import JobState


@dataclass(frozen=True)
class WatchedJob:
    """A job that is on its way or running on a device that is online.

    Attributes:
        last_sign_at: When it was last sent or heard of.
        next_action_at: What the device said it would do next; for waiting jobs.
        max_run_time: How long its installer may run, during which a device has nothing to tell.
    """

    job_id: str
    device_id: str
    state: JobState
    last_sign_at: datetime
    next_action_at: datetime | None
    max_run_time: timedelta


def silent_jobs(jobs: Sequence[WatchedJob], now: datetime, limit: timedelta) -> list[str]:
    """The ids of jobs to send anew.

    A device works on one app at a time: what waits behind a job that is running in good time is not silent. A waiting
    job is the device's own business until well after the time it gave.
    """
    silent = [job for job in jobs if now > _expected_by(job) + limit]
    busy = {job.device_id for job in jobs if job.state is JobState.RUNNING} - {
        job.device_id for job in silent if job.state is JobState.RUNNING
    }
    return [job.job_id for job in silent if job.device_id not in busy]


def _expected_by(job: WatchedJob) -> datetime:
    if job.state is JobState.WAITING and job.next_action_at is not None:
        return max(job.next_action_at, job.last_sign_at)
    if job.state is JobState.RUNNING:
        return job.last_sign_at + job.max_run_time
    return job.last_sign_at
