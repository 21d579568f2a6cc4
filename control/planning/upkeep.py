"""Plan for the fleet, and see that nothing was missed: at once where something is wanted, bit by bit where not.

Whoever changes what is wanted asks for planning, and each device is planned for when it checks in. What was asked for
while the broker was away is found in the digest of what is wanted; the rest, by looking at some devices each time.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.database.conflicts import insert_into
from control.database.session import Database
from control.database.tables import Device, PlanningRow
from control.planning.service import PART, Part, Planned, plan_fleet, plan_part
from control.planning.wanted import wanted_digest

#: Times after which every device has been looked at though nothing else asked for it.
_ROUND: Final = 15
#: The only row.
_ROW: Final = 1


def plan_all(database: Database, *, now: datetime, online_since: datetime) -> Planned:
    """Plan for the whole fleet, and note what it was planned for. The arguments are those of `plan_devices`."""
    with database.snapshot() as session:
        wanted = wanted_digest(session, now)
    planned = plan_fleet(database, now=now, online_since=online_since)
    with database.transaction() as session:
        _note(session, wanted=wanted)
    return planned


def catch_up(database: Database, *, now: datetime, online_since: datetime) -> Planned:
    """Plan for the whole fleet where other things are wanted than it was planned for, else for a share of it."""
    with database.snapshot() as session:
        row = session.get(PlanningRow, _ROW)
        is_planned = row is not None and row.wanted == wanted_digest(session, now)
        after = "" if row is None else row.looked_at_until
        devices = session.scalar(select(func.count()).select_from(Device)) or 0
    if not is_planned:
        return plan_all(database, now=now, online_since=online_since)
    planned, last = Planned(), Part(Planned(), after)
    for _ in range(-(-devices // (PART * _ROUND))):
        last = plan_part(database, last, now=now, online_since=online_since) or Part(Planned(), "")
        planned += last.planned
    with database.transaction() as session:
        _note(session, looked_at_until=last.last_id)
    return planned


def _note(session: Session, **known: str) -> None:
    """Note how far planning is; whoever plans at the same time may note it first."""
    statement = insert_into(PlanningRow, session.get_bind().dialect.name)
    row = {"id": _ROW, "wanted": "", "looked_at_until": "", **known}
    session.execute(statement.values(row).on_conflict_do_update(index_elements=["id"], set_=known))
