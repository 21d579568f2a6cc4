"""Counters that outlive the process which counts, and are shown by another one."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from control.database.conflicts import insert_into
from control.database.tables import CounterRow

#: Counts what workers dropped from the control plane's own queue; the other counters are the reconciler's.
REFUSED_MESSAGES: Final = "refused_messages"


def count_up(session: Session, by: Mapping[str, int]) -> None:
    """Add to counters, by name; one that is not there begins at nothing."""
    statement = insert_into(CounterRow, session.get_bind().dialect.name)
    more = {"value": CounterRow.value + statement.excluded.value}
    rows = [{"name": name, "value": count} for name, count in sorted(by.items()) if count]
    if rows:
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=more), rows)
