"""Load what planning looks at."""

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.states import Intent
from control.database.tables import Assignment, Device, GroupMember, Job, Revision
from control.live_states import LIVE_STATES
from control.planning.models import AssignedIntent, Fleet, KnownJob, Membership


def load_fleet(session: Session, device_id: str | None = None) -> Fleet:
    """The fleet as it is now, or the part of it that concerns one device."""
    assignments = select(Assignment.app_id, Assignment.group_id, Assignment.intent)
    memberships = select(GroupMember.group_id, GroupMember.device_id)
    devices = select(Device.id).where(Device.retired_at.is_(None))
    jobs = _newest_jobs()
    if device_id is not None:
        own_groups = select(GroupMember.group_id).where(GroupMember.device_id == device_id)
        assignments = assignments.where(Assignment.group_id.in_(own_groups))
        memberships = memberships.where(GroupMember.device_id == device_id)
        devices = devices.where(Device.id == device_id)
        jobs = _newest_jobs(device_id)
    newest = select(Revision.app_id, func.max(Revision.number)).group_by(Revision.app_id)
    return Fleet(
        assignments=tuple(AssignedIntent(*row) for row in session.execute(assignments)),
        memberships=tuple(Membership(*row) for row in session.execute(memberships)),
        devices=frozenset(session.scalars(devices)),
        newest_revisions=dict(session.execute(newest).all()),
        jobs=tuple(KnownJob(*row) for row in session.execute(jobs)),
    )


def _newest_jobs(device_id: str | None = None) -> Select[str, str, str, int, Intent, JobState]:
    """The newest job for each device and app; of those made in the same instant the one that is alive."""
    liveness = case((Job.state.in_(LIVE_STATES), 0), (Job.state == JobState.FINISHED, 1), else_=2)
    rank = func.row_number().over(partition_by=(Job.device_id, Job.app_id), order_by=(Job.created_at.desc(), liveness))
    ranked = select(Job.id, Job.device_id, Job.app_id, Job.revision, Job.intent, Job.state, rank.label("rank"))
    if device_id is not None:
        ranked = ranked.where(Job.device_id == device_id)
    found = ranked.subquery()
    columns = (found.c.id, found.c.device_id, found.c.app_id, found.c.revision, found.c.intent, found.c.state)
    return select(*columns).where(found.c["rank"] == 1)
