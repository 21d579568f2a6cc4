"""Count jobs where they are now, and no longer where they were: in one place, apart from all that moves them.

Whoever moves a job knows nothing of tallies. The database sees by the job's own row that it has moved since it was
counted (`ix_jobs_moved`), in the transaction that moves it; so nothing is missed, and nobody waits for a row that
everybody counts in. Until a moved job is counted, `control.tallies.standings` looks at it itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import ColumnClause, Row, Text, delete, literal_column, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert

from control.database.session import Database, lock_tallies
from control.database.tables import Job, JobTally
from control.database.tables.job_place import HAS_MOVED, PLACE

if TYPE_CHECKING:
    from sqlalchemy import Table

#: Jobs of one transaction: nobody waits for its locks for long.
BATCH: Final = 1000

_KEY: Final = ("app_id", "place")
_PLACE: Final[ColumnClause[str]] = literal_column(PLACE, Text)
_FACTS: Final = (
    Job.state,
    Job.outcome,
    Job.next_action_reason,
    Job.phase,
    Job.error_number,
    Job.error_code,
)

_Place = tuple[str, str]
_Row = Row[*tuple[Any, ...]]


def count_moved(database: Database, limit: int) -> int:
    """Count up to `limit` jobs that have moved, in batches of one transaction each.

    Returns:
        How many had.

    Raises:
        UnavailableError: The database does not answer; what was counted until then is counted.
    """
    counted = 0
    while counted < limit:
        with database.transaction() as session:
            batch = count_batch(session, min(BATCH, limit - counted))
        if not batch:
            break
        counted += batch
    return counted


def count_batch(session: Session, limit: int = BATCH) -> int:
    """Count some of the jobs that have moved and that nobody has locked; how many."""
    lock_tallies(session)
    columns = (Job.id, Job.app_id, Job.tallied_as, _PLACE.label("place"), *_FACTS)
    moved = select(*columns).where(text(HAS_MOVED)).order_by(Job.id).limit(limit)
    rows = session.execute(moved.with_for_update(skip_locked=True, key_share=True)).all()
    if rows:
        _add(session, rows)
        here = update(Job).where(Job.id.in_([row.id for row in rows]))
        # Nothing about the job has changed.
        session.execute(here.values(tallied_as=_PLACE, changed_at=Job.changed_at))
    return len(rows)


def _add(session: Session, rows: Sequence[_Row]) -> None:
    facts: dict[_Place, Mapping[str, Any]] = {(row.app_id, row.place): _facts(row) for row in rows if row.place}
    changes = _changes((row.app_id, row.tallied_as, row.place) for row in rows)
    more = [{**facts[place], "jobs": by} for place, by in sorted(changes.items()) if place in facts]
    less = {place: by for place, by in sorted(changes.items()) if place not in facts}
    if more:
        session.execute(_upsert(session.get_bind().dialect.name), more)
    for (app_id, place), by in less.items():
        there = JobTally.app_id == app_id, JobTally.place == place
        session.execute(update(JobTally).where(*there).values(jobs=JobTally.jobs + by))
    session.execute(delete(JobTally).where(JobTally.jobs == 0))


def _changes(moves: Iterable[tuple[str, str, str]]) -> Mapping[_Place, int]:
    """By how much each place's number changes, from (app, old place, new place)."""
    changes: Counter[_Place] = Counter()
    for app_id, old, new in moves:
        if old:
            changes[app_id, old] -= 1
        if new:
            changes[app_id, new] += 1
    return changes


def _facts(row: _Row) -> dict[str, Any]:
    phase = row.phase if row.error_code is not None else None
    number = row.error_number if row.error_code is not None else None
    named = {fact.key: getattr(row, fact.key) for fact in _FACTS}
    return {**named, "app_id": row.app_id, "place": row.place, "phase": phase, "error_number": number}


@lru_cache
def _upsert(dialect: str) -> Insert:
    table = cast("Table", JobTally.__table__)
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return statement.on_conflict_do_update(index_elements=_KEY, set_={"jobs": table.c.jobs + statement.excluded.jobs})
