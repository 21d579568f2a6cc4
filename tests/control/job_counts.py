"""How many jobs are where: as the tallies have it, and by looking at every job."""

from collections import Counter
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Subquery, select
from sqlalchemy.orm import Session

from control.database.tables import Job
from control.newest_jobs import is_newest

#: By app, state, outcome, reason to wait, and the phase, number and code of the error.
Counts: TypeAlias = Counter[tuple[Any, ...]]

_FACTS = ("app_id", "state", "outcome", "next_action_reason", "phase", "error_number", "error_code")


def by_standings(session: Session, found: Subquery) -> Counts:
    """As answers have it; see `control.tallies.standings`."""
    counts: Counts = Counter()
    for *place, jobs in session.execute(select(*(found.c[name] for name in _FACTS), found.c.jobs)):
        counts[tuple(place)] += jobs
    return +counts


def by_counting(session: Session, *which: ColumnElement[bool]) -> Counts:
    """The same of the newest jobs that fulfil these conditions, each looked at."""
    counts: Counts = Counter()
    for job in session.scalars(select(Job).where(is_newest(), *which).execution_options(populate_existing=True)):
        error = (None, None) if job.error_code is None else (job.phase, job.error_number)
        counts[job.app_id, job.state, job.outcome, job.next_action_reason, *error, job.error_code] += 1
    return counts
