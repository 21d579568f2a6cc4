"""Reconcile: what was sent to an online device and never heard of is sent anew, with a raised generation."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.database.session import lock_planning
from control.database.tables import Device, Job, OutboxEntry, Revision
from control.dispatch.silence import WatchedJob, silent_jobs

_WATCHED = (JobState.SENT, JobState.RUNNING, JobState.WAITING)


def reconcile(session: Session, *, now: datetime, online_since: datetime, silence_limit: timedelta) -> int:
    """Put silent jobs of online devices into the outbox again.

    Returns:
        How many.
    """
    lock_planning(session)
    silent = silent_jobs(_watched(session, online_since), now, silence_limit)
    for job_id in silent:
        resend(session, session.get_one(Job, job_id), now)
    return len(silent)


def resend(session: Session, job: Job, now: datetime) -> None:
    """Raise the job's generation and put it into the outbox; whatever is under way of it is void from now on."""
    job.generation += 1
    job.state = JobState.PLANNED
    job.attempt = 1
    job.progress_sequence = job.reported_attempt = job.reported_sequence = 0
    job.phase = None
    job.bytes_done = job.bytes_total = 0
    job.next_action_at = job.next_action_reason = None
    session.add(OutboxEntry(job_id=job.id, generation=job.generation, created_at=now))
    session.flush()


def _watched(session: Session, online_since: datetime) -> Sequence[WatchedJob]:
    watched = (
        select(Job, Revision.max_run_time_seconds)
        .join(Device, Device.id == Job.device_id)
        .join(Revision, (Revision.app_id == Job.app_id) & (Revision.number == Job.revision))
        .where(Job.state.in_(_WATCHED), Device.last_seen_at >= online_since, Device.retired_at.is_(None))
    )
    return [
        WatchedJob(
            job_id=job.id,
            device_id=job.device_id,
            state=job.state,
            last_sign_at=job.last_sign_at or job.created_at,
            next_action_at=job.next_action_at,
            max_run_time=timedelta(seconds=seconds),
        )
        for job, seconds in session.execute(watched)
    ]
