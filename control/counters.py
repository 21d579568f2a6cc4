"""Counters that outlive the process which counts, and are shown by another one."""

from collections.abc import Mapping

from sqlalchemy import update
from sqlalchemy.orm import Session

from control.database.tables import CounterRow


def count_up(session: Session, by: Mapping[str, int]) -> None:
    """Add to counters, by name; one that is not there begins at nothing."""
    for name, count in by.items():
        if not count:
            continue
        added = update(CounterRow).where(CounterRow.name == name).values(value=CounterRow.value + count)
        if not session.execute(added.returning(CounterRow.name)).all():
            session.add(CounterRow(name=name, value=count))
