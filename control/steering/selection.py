"""Which jobs an operator means: the newest of each device and app that the filter lets through."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.answers.job_filter import JobFilter, conditions
from control.database.tables import Job


def select_jobs(session: Session, wanted: JobFilter) -> list[str]:
    """The ids of the jobs, in an order that is always the same.

    Raises:
        InputError: The filter names nothing; the whole fleet is never meant by leaving something out.
        NotFoundError: It names an app, group or device that is not there.
    """
    if wanted == JobFilter():
        detail = "expected a job, or at least one of app, group and device"
        raise InputError(ErrorCode.DOCUMENT_INVALID, place="selection", detail=detail)
    return list(session.scalars(select(Job.id).where(*conditions(session, wanted)).order_by(Job.id)))
