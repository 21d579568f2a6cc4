"""The devices that check in: read with one statement and written with one, as columns, and only what has changed.

Whatever else of a device is changed meanwhile, by who moves it to another shard say, stays as it is.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.orm import Session

from control.database.among import among
from control.database.tables import Device

if TYPE_CHECKING:
    from sqlalchemy import Table

#: New values, by their columns.
_Changes: TypeAlias = Mapping[str, Any]


@dataclass
class Visitor:
    """A device that checks in, as `Device` has it; what is set here is written with all else."""

    id: str
    name: str
    site: str | None
    facts: Mapping[str, Any]
    last_seen_at: datetime
    agent_started_at: datetime | None
    remembers_until: datetime | None
    refused_messages: int
    refused_messages_told: int
    broker_shard: str
    next_shard: str | None
    left_shard: str | None
    left_shard_at: datetime | None


class Visits:
    """One transaction's view of them.

    Args:
        session: The transaction.
        device_ids: The devices.

    Attributes:
        visitors: By id, in the order of their ids; those of the devices that are enrolled.
    """

    def __init__(self, session: Session, device_ids: Collection[str]) -> None:
        self._session = session
        self._known = {row.id: row for row in session.execute(_ENROLLED, {"device_ids": list(device_ids)})}
        self.visitors = {id_: Visitor(*row) for id_, row in self._known.items()}

    def write(self) -> None:
        """Write what has changed."""
        # In the order of their ids, so that two transactions never wait for each other.
        for columns, rows in groupby(self._changes(), key=tuple):
            self._session.execute(_written(columns), list(rows))

    def _changes(self) -> Iterator[_Changes]:
        for id_, visitor in self.visitors.items():
            both = zip(vars(visitor).items(), self._known[id_], strict=True)
            changes = {name: new for (name, new), old in both if new != old}
            if changes:
                yield {_KEY: id_, **changes}


_DEVICES: Final = cast("Table", Device.__table__)
_KEY: Final = "device_id"
_ENROLLED: Final = (
    select(*(_DEVICES.columns[field.name] for field in fields(Visitor)))
    .where(among(_DEVICES.c.id, "device_ids"), _DEVICES.c.retired_at.is_(None))
    .order_by(_DEVICES.c.id)
)


@cache
def _written(columns: tuple[str, ...]) -> Update:
    """A statement that writes these columns, the device's id being the first."""
    _, *changed = columns
    its_row = update(_DEVICES).where(_DEVICES.c.id == bindparam(_KEY))
    return its_row.values({name: bindparam(name) for name in changed})
