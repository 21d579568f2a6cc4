"""Find the job a device speaks of, and write what its word changed."""

from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.tables import Job
from control.database.tables.base import NAME_LENGTH
from control.ingest.storable import storable_text
from control.ingest.transitions import JobStatus

#: What a device words as it likes.
_TEXTS = frozenset({"error_detail", "next_action_detail"})
_FIELDS = tuple(field.name for field in fields(JobStatus))


def own_job(session: Session, job_id: str, device_id: str) -> Job:
    """The device's job, locked until the transaction ends.

    Raises:
        NotFoundError: There is none, or it is another device's: a device is not told which.
    """
    wanted = select(Job).where(Job.id == job_id, Job.device_id == device_id).with_for_update()
    job = session.scalar(wanted)
    if job is None:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)
    return job


def status_of(job: Job) -> JobStatus:
    """The part of the row that a device's word can change."""
    return JobStatus(**{name: getattr(job, name) for name in _FIELDS})


def write_status(job: Job, status: JobStatus, now: datetime) -> None:
    """Write it back, and note the sign of life."""
    for name, value in asdict(status).items():
        setattr(job, name, storable_text(value) if name in _TEXTS else value)
    if status.error_code is not None:
        job.error_code = storable_text(status.error_code, NAME_LENGTH)
    job.last_sign_at = now
