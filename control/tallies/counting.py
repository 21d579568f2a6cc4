"""Count jobs where they are now, and no longer where they were: in one place, apart from all that moves them.

Whoever moves a job knows nothing of tallies. The database sees by the job's own row that it has moved since it was
counted (`ix_jobs_moved`), in the transaction that moves it; so nothing is missed, and nobody waits for a row that
everybody counts in. Until a moved job is counted, `control.tallies.standings` looks at it itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnClause, Row, Text, literal_column, select, text, update
from sqlalchemy.orm import Session

from control.database.session import Database, lock_tallies
from control.database.tables import GroupTally, Job, JobTally, RolloutTally
from control.database.tables.job_place import HAS_MOVED, PLACE
from control.tallies.changes import Place, add_to
from control.tallies.members import count_members, group_changes
from control.tallies.rollout_jobs import rollout_changes
from control.tallies.rollouts import note_done

#: Jobs of one transaction: nobody waits for its locks for long.
BATCH: Final = 1000

_PLACE: Final[ColumnClause[str]] = literal_column(PLACE, Text)
_OWN: Final = (Job.id, Job.device_id, Job.app_id, Job.revision, Job.intent, Job.tallied_as)
_FACTS: Final = (
    Job.state,
    Job.outcome,
    Job.next_action_reason,
    Job.phase,
    Job.error_number,
    Job.error_code,
)

_Row = Row[*tuple[Any, ...]]


def count_moved(database: Database, limit: int) -> int:
    """Count up to `limit` jobs that have moved, and members that have come, in batches of one transaction each.

    Returns:
        How many.

    Raises:
        UnavailableError: The database does not answer; what was counted until then is counted.
    """
    counted = 0
    while counted < limit:
        with database.transaction() as session:
            batch = count_batch(session, min(BATCH, limit - counted)) + count_members(session)
        if not batch:
            break
        counted += batch
    return counted


def count_batch(session: Session, limit: int = BATCH) -> int:
    """Count some of the jobs that have moved and that nobody has locked; how many."""
    lock_tallies(session)
    columns = (*_OWN, _PLACE.label("place"), *_FACTS)
    moved = select(*columns).where(text(HAS_MOVED)).order_by(Job.id).limit(limit)
    rows = session.execute(moved.with_for_update(skip_locked=True, key_share=True)).all()
    if rows:
        _add(session, rows)
        here = update(Job).where(Job.id.in_([row.id for row in rows]))
        # Nothing about the job has changed.
        session.execute(here.values(tallied_as=_PLACE, changed_at=Job.changed_at))
    return len(rows)


def _add(session: Session, rows: Sequence[_Row]) -> None:
    facts: dict[Place, Mapping[str, Any]] = {(row.app_id, row.place): _facts(row) for row in rows if row.place}
    add_to(session, JobTally, _changes((row.app_id, row.tallied_as, row.place) for row in rows), facts)
    moves = [(row.device_id, row.app_id, row.tallied_as, row.place) for row in rows]
    add_to(session, GroupTally, group_changes(session, moves))
    add_to(session, RolloutTally, rollout_changes(session, moves))
    note_done(session, rows)


def _changes(moves: Iterable[tuple[str, str, str]]) -> Mapping[Place, int]:
    """By how much each place's number changes, from (app, old place, new place)."""
    changes: Counter[Place] = Counter()
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
    return {**named, "phase": phase, "error_number": number}
