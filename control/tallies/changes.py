"""Add to and take from the numbers of places; whoever does holds `lock_tallies`."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from control.database.conflicts import ConflictInsert, insert_into
from control.database.tables import GroupTally, JobTally, RolloutTally

#: A place by its primary key: the app and the place's text, and before them the group or rollout whose number it is.
Place: TypeAlias = tuple[str, ...]
#: Whose numbers: the fleet's, groups', rollouts'.
Kind: TypeAlias = type[JobTally] | type[GroupTally] | type[RolloutTally]

_KEYS: Final[Mapping[Kind, tuple[str, ...]]] = {
    JobTally: ("app_id", "place"),
    GroupTally: ("group_id", "app_id", "place"),
    RolloutTally: ("rollout_id", "app_id", "place"),
}


def add_to(
    session: Session,
    kind: Kind,
    changes: Mapping[Place, int],
    facts: Mapping[Place, Mapping[str, Any]] | None = None,
) -> None:
    """Change the numbers of places; those that come to nothing are forgotten.

    Args:
        session: A transaction.
        kind: Whose numbers.
        changes: By how much each is changed.
        facts: What else the row of a place says, where its number grows.
    """
    key, known = _KEYS[kind], facts or {}
    rows = [{**known.get(place, {}), **dict(zip(key, place, strict=True)), "jobs": by} for place, by in changes.items()]
    more, less = [row for row in rows if row["jobs"] > 0], [row for row in rows if row["jobs"] < 0]
    if more:
        session.execute(_upsert(kind, session.get_bind().dialect.name), more)
    for row in less:
        there = [getattr(kind, name) == row[name] for name in key]
        session.execute(update(kind).where(*there).values(jobs=kind.jobs + row["jobs"]))
    if less:
        session.execute(delete(kind).where(kind.jobs == 0))


@lru_cache
def _upsert(kind: Kind, dialect: str) -> ConflictInsert:
    statement = insert_into(kind, dialect)
    more = {"jobs": statement.table.c.jobs + statement.excluded.jobs}
    return statement.on_conflict_do_update(index_elements=_KEYS[kind], set_=more)
