"""Jobs in the order in which they changed, for whoever follows them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.orm import Session

from control.answers.job_filter import JobFilter, conditions
from control.answers.jobs import jobs_in
from control.answers.moment import Moment
from control.answers.pages import cursor_at, values_at
from control.database.tables import Job
from control.views.jobs import JobView

_ORDER: Final = (Job.changed_at, Job.id)
_BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), "")
#: A change can be seen only when its transaction has ended, which is a little later than it was made.
_LATE: Final = timedelta(seconds=1)
#: Jobs that are read at once.
READ_JOBS: Final = 500


def newest_change(session: Session) -> str:
    """The cursor for what changes from now on."""
    newest = session.scalar(select(func.max(Job.changed_at)))
    # No id is larger.
    return cursor_at(_ORDER, _BEGINNING if newest is None else (newest, "~"))


def changed_jobs(session: Session, wanted: JobFilter, moment: Moment, cursor: str) -> list[tuple[str, JobView]]:
    """The next jobs that changed after the cursor, each with the cursor for what follows it, in the order of change.

    A job that has changed twice is told once, as it is now. What a very long transaction changes may be passed over:
    whoever needs to be certain asks for the state now and then.

    Raises:
        NotFoundError: The filter names something that is not there.
        InputError: The cursor is not one of these, or what the filter names could be several things.
    """
    at, job_id = values_at(_ORDER, cursor)
    last = tuple_(literal(at, Job.changed_at.type), literal(job_id, Job.id.type))
    until = datetime.now(UTC) - _LATE
    later = (*conditions(session, wanted), tuple_(*_ORDER) > last, Job.changed_at <= until)
    found = jobs_in(session, later, _ORDER, moment, READ_JOBS)
    return [(cursor_at(_ORDER, (job.changed_at, job.id)), job) for job in found]
