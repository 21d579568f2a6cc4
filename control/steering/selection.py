"""Which jobs an operator means: the newest of each device and app that the filter lets through."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.answers.jobs import JobFilter
from control.catalog.revisions import find_app
from control.database.tables import GroupMember, Job
from control.fleet.devices import find_device
from control.fleet.groups import find_group
from control.newest_jobs import newest_job_ids


def select_jobs(session: Session, wanted: JobFilter) -> list[str]:
    """The ids of the jobs, in an order that is always the same.

    Raises:
        InputError: The filter names nothing; the whole fleet is never meant by leaving something out.
        NotFoundError: It names an app, group or device that is not there.
    """
    if wanted == JobFilter():
        detail = "expected a job, or at least one of app, group and device"
        raise InputError(ErrorCode.DOCUMENT_INVALID, place="selection", detail=detail)
    rows = select(Job.id).where(Job.id.in_(newest_job_ids(superseded=False))).order_by(Job.id)
    if wanted.app is not None:
        rows = rows.where(Job.app_id == find_app(session, wanted.app).id)
    if wanted.device is not None:
        rows = rows.where(Job.device_id == find_device(session, wanted.device).id)
    if wanted.group is not None:
        members = select(GroupMember.device_id).where(GroupMember.group_id == find_group(session, wanted.group).id)
        rows = rows.where(Job.device_id.in_(members))
    return list(session.scalars(rows))
