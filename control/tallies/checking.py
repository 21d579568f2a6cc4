"""Compare the tallies with the jobs that were counted in them, and count all anew."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import Session

from control.database.session import Database, lock_tallies
from control.database.tables import GroupMember, GroupTally, Job, JobTally, RolloutDevice, RolloutTally
from control.tallies.changes import Place
from control.tallies.counting import BATCH, count_batch
from control.tallies.members import count_members, counted_of_members
from control.tallies.rollout_jobs import counted_of_rollouts

_PLACE: Final = (Job.app_id, Job.tallied_as)


@dataclass(frozen=True)
class WrongTally:
    """A place of an app whose number is not that of the jobs that were counted there.

    Attributes:
        of: The group or rollout whose number it is, by its id; None for the fleet.
    """

    of: str | None
    app_id: str
    place: str
    tallied: int
    jobs: int


def wrong_tallies(session: Session) -> list[WrongTally]:
    """What is wrong; every job is read once, and once for each group and rollout.

    Nobody counts until the transaction ends.
    """
    lock_tallies(session)
    fleet = select(*_PLACE, func.count()).where(Job.tallied_as != "").group_by(*_PLACE)
    jobs: dict[Place, int] = {(app_id, place): number for app_id, place, number in session.execute(fleet)}
    jobs |= counted_of_members(session, and_(GroupMember.is_tallied))
    jobs |= counted_of_rollouts(session, RolloutDevice.left_at.is_(None))
    tallies: dict[Place, int] = {(row.app_id, row.place): row.jobs for row in session.scalars(select(JobTally))}
    tallies |= {(row.group_id, row.app_id, row.place): row.jobs for row in session.scalars(select(GroupTally))}
    tallies |= {(row.rollout_id, row.app_id, row.place): row.jobs for row in session.scalars(select(RolloutTally))}
    return [
        _wrong(place, tallies.get(place, 0), jobs.get(place, 0))
        for place in sorted(jobs.keys() | tallies.keys())
        if jobs.get(place, 0) != tallies.get(place, 0)
    ]


def _wrong(key: Place, tallied: int, jobs: int) -> WrongTally:
    *of, app_id, place = key
    return WrongTally(of[0] if of else None, app_id, place, tallied, jobs)


def recount(database: Database) -> int:
    """Forget the tallies and count all jobs and members anew; how many.

    Answers are right all the while, and slow until the end.
    """
    with database.transaction() as session:
        lock_tallies(session)
        for kind in (JobTally, GroupTally, RolloutTally):
            session.execute(delete(kind))
        session.execute(update(GroupMember).values(is_tallied=False))
        session.execute(
            update(RolloutDevice).where(RolloutDevice.done_revision.is_not(None)).values(done_revision=None)
        )
        session.execute(update(Job).where(Job.tallied_as != "").values(tallied_as="", changed_at=Job.changed_at))
    counted = 0
    while True:
        with database.transaction() as session:
            batch = count_batch(session, BATCH) + count_members(session)
        if not batch:
            return counted
        counted += batch
