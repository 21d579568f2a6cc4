"""Counters that outlive the process which counts, and are shown by another one."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from control.database.tables import CounterRow

#: Counts what workers dropped from the control plane's own queue; the other counters are the reconciler's.
REFUSED_MESSAGES: Final = "refused_messages"


def count_up(session: Session, by: Mapping[str, int]) -> None:
    """Add to counters, by name; one that is not there begins at nothing."""
    for name, count in by.items():
        if not count:
            continue
        added = update(CounterRow).where(CounterRow.name == name).values(value=CounterRow.value + count)
        if not session.execute(added.returning(CounterRow.name)).all():
            session.add(CounterRow(name=name, value=count))
