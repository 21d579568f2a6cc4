"""Whether a rollout is to be looked at: its devices are many, and mostly nothing has happened since the last time.

What can be told without reading each device is compared every few seconds. What that leaves out is a change of facts
that a filter goes by, a window that opens, and a member that takes another one's place: these wait a minute at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from control.answers.moment import Moment
from control.database.tables import AppRequestRow, Assignment, Device, GroupMember, Job, Revision, Rollout
from control.planning.wanted import digest_of, passed_quarters
from control.rollouts.advance import soaks_until
from control.rollouts.lookup import course_of

_LONGEST: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Glance:
    """What is seen of a rollout without reading its devices, as digests.

    Attributes:
        members: Of what decides whom it is for.
        progress: Of what decides how it goes on.
    """

    members: str
    progress: str


def glance_at(session: Session, rollout: Rollout, moment: Moment) -> Glance:
    """Look at a rollout from afar."""
    return Glance(
        digest_of(_about_members(session, rollout.app_id, moment.now)),
        digest_of(_about_progress(session, rollout, moment)),
    )


def is_stale(rollout: Rollout, now: datetime) -> bool:
    """Whether its devices were not looked at for so long that nobody can tell."""
    return rollout.looked_at is None or now - rollout.looked_at >= _LONGEST


def may_have_others(session: Session, rollout: Rollout) -> bool:
    """Whether it may be for other devices than when it was last looked, though a glance shows the same.

    Filters and start times go by what devices say of themselves. Else as many members are the same members unless
    somebody has joined a group since, or was about to.
    """
    assigned = session.scalars(select(Assignment).where(Assignment.app_id == rollout.app_id)).all()
    if rollout.looked_at is None or any(one.filter_id is not None or one.start_at is not None for one in assigned):
        return True
    in_groups = GroupMember.group_id.in_({one.group_id for one in assigned})
    joined = exists().where(in_groups, GroupMember.added_at >= rollout.looked_at - _LONGEST)
    return bool(session.scalar(select(joined)))


def _about_members(session: Session, app_id: str, now: datetime) -> Iterator[object]:
    assigned = select(Assignment).where(Assignment.app_id == app_id).order_by(Assignment.id)
    for one in session.scalars(assigned):
        members = select(func.count()).select_from(GroupMember).where(GroupMember.group_id == one.group_id)
        started = None if one.start_at is None else passed_quarters(one.start_at, one.time_basis, now)
        said = (one.id, one.intent, one.mode, one.filter_id, one.filter_mode, one.start_at, started)
        yield *said, session.scalar(members)
    asked = select(func.count(), func.max(AppRequestRow.requested_at)).where(AppRequestRow.app_id == app_id)
    yield tuple(session.execute(asked).one())
    yield session.scalar(select(func.count()).select_from(Device).where(Device.retired_at.is_not(None)))


def _about_progress(session: Session, rollout: Rollout, moment: Moment) -> Iterator[object]:
    yield rollout.state, rollout.changed_at, rollout.rollback_revision
    yield session.scalar(select(func.max(Job.changed_at)))
    yield session.scalar(select(func.max(Revision.number)).where(Revision.app_id == rollout.app_id))
    yield session.scalar(select(func.count()).select_from(Device).where(Device.last_seen_at >= moment.online_since))
    course = course_of(session, rollout)
    for ring, progress in zip(course.spec.rings, course.rings, strict=True):
        has_soaked = progress.soak_since is not None and moment.now >= soaks_until(ring, progress.soak_since)
        yield progress, has_soaked
