"""Which jobs a device may ask about: its own, live, in their current generation."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.tables import Job, Revision
from control.live_states import WANTED_STATES


def live_revision(session: Session, job_id: str, device_id: str, generation: int | None) -> tuple[Job, Revision]:
    """The job and its revision.

    Raises:
        NotFoundError: It is not a job of this device, or it is void: over, being cancelled, or sent anew.
    """
    job = session.scalar(select(Job).where(Job.id == job_id, Job.device_id == device_id))
    if job is None:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)
    if job.state not in WANTED_STATES:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id, detail=f"it is {job.state} and nobody waits for it")
    if generation is not None and generation < job.generation:
        detail = f"generation {generation} is void; {job.generation} is the current one"
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id, detail=detail)
    return job, session.get_one(Revision, (job.app_id, job.revision))
