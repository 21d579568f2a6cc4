"""Compare the tallies with the jobs that were counted in them, and count all anew."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from control.database.session import Database, lock_tallies
from control.database.tables import Job, JobTally
from control.tallies.counting import BATCH, count_batch

_PLACE: Final = (Job.app_id, Job.tallied_as)


@dataclass(frozen=True)
class WrongTally:
    """A place of an app whose number is not that of the jobs that were counted there."""

    app_id: str
    place: str
    tallied: int
    jobs: int


def wrong_tallies(session: Session) -> list[WrongTally]:
    """What is wrong, by app and place; it reads every job once. Nobody counts until the transaction ends."""
    lock_tallies(session)
    counts = select(*_PLACE, func.count()).where(Job.tallied_as != "").group_by(*_PLACE)
    jobs = {(app_id, place): number for app_id, place, number in session.execute(counts)}
    tallies = {(row.app_id, row.place): row.jobs for row in session.scalars(select(JobTally))}
    return [
        WrongTally(*place, tallied=tallies.get(place, 0), jobs=jobs.get(place, 0))
        for place in sorted(jobs.keys() | tallies.keys())
        if jobs.get(place, 0) != tallies.get(place, 0)
    ]


def recount(database: Database) -> int:
    """Forget the tallies and count all jobs anew; how many. Answers are right all the while, and slow until the end."""
    with database.transaction() as session:
        lock_tallies(session)
        session.execute(delete(JobTally))
        session.execute(update(Job).where(Job.tallied_as != "").values(tallied_as="", changed_at=Job.changed_at))
    counted = 0
    while True:
        with database.transaction() as session:
            batch = count_batch(session, BATCH)
        if not batch:
            return counted
        counted += batch
