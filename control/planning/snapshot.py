"""Load what planning looks at."""

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from control.database.tables import Assignment, Device, GroupMember, Job, Revision
from control.newest_jobs import newest_job_ids
from control.planning.models import AssignedIntent, Fleet, KnownJob, Membership


def load_fleet(session: Session, device_id: str | None = None) -> Fleet:
    """The fleet as it is now, or the part of it that concerns one device."""
    assignments = select(Assignment.app_id, Assignment.group_id, Assignment.intent)
    memberships = select(GroupMember.group_id, GroupMember.device_id)
    devices = select(Device.id).where(Device.retired_at.is_(None))
    if device_id is not None:
        own_groups = select(GroupMember.group_id).where(GroupMember.device_id == device_id)
        assignments = assignments.where(Assignment.group_id.in_(own_groups))
        memberships = memberships.where(GroupMember.device_id == device_id)
        devices = devices.where(Device.id == device_id)
    columns = (Job.id, Job.device_id, Job.app_id, Job.revision, Job.intent, Job.state, Job.cancel_reason)
    seen_since = func.coalesce(Device.last_seen_at >= Job.finished_at, false())
    jobs = (
        select(*columns, seen_since)
        .join(Device, Device.id == Job.device_id)
        .where(Job.id.in_(newest_job_ids(device_id=device_id)))
    )
    newest = select(Revision.app_id, func.max(Revision.number)).group_by(Revision.app_id)
    return Fleet(
        assignments=tuple(AssignedIntent(*row) for row in session.execute(assignments)),
        memberships=tuple(Membership(*row) for row in session.execute(memberships)),
        devices=frozenset(session.scalars(devices)),
        newest_revisions=dict(session.execute(newest).all()),
        jobs=tuple(KnownJob(*row) for row in session.execute(jobs)),
    )
