"""What is in the archive: counted for a device, read out, and deleted when nobody needs it any more."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, literal, select, tuple_
from sqlalchemy.orm import Session

from control.database.session import Database
from control.database.tables import ArchivedJob

#: Documents in memory at a time.
_READ: Final = 200

_ORDER: Final = (ArchivedJob.replaced_at, ArchivedJob.id)


def count_archived(session: Session, device_id: str) -> int:
    """How many jobs of a device are in the archive."""
    return session.scalar(select(func.count()).where(ArchivedJob.device_id == device_id)) or 0


def archived_documents(
    database: Database, *, device_id: str | None = None, replaced_before: datetime | None = None
) -> Iterator[str]:
    """The documents, of one device or all, oldest first. What is archived meanwhile may be among them.

    Raises:
        UnavailableError: The database does not answer.
    """
    wanted = select(*_ORDER, ArchivedJob.document).order_by(*_ORDER).limit(_READ)
    if device_id is not None:
        wanted = wanted.where(ArchivedJob.device_id == device_id)
    if replaced_before is not None:
        wanted = wanted.where(ArchivedJob.replaced_at < replaced_before)
    page = wanted
    while True:
        with database.snapshot() as session:
            rows = session.execute(page).all()
        yield from (document for _, _, document in rows)
        if len(rows) < _READ:
            return
        last = (literal(value, key.type) for value, key in zip(rows[-1], _ORDER, strict=False))
        page = wanted.where(tuple_(*_ORDER) > tuple_(*last))


def prune(session: Session, *, replaced_before: datetime, limit: int) -> int:
    """Delete up to `limit` of the archived jobs that were replaced before then, the oldest first; how many."""
    oldest = select(ArchivedJob.id).where(ArchivedJob.replaced_at < replaced_before).order_by(*_ORDER).limit(limit)
    ids = session.scalars(oldest).all()
    session.execute(delete(ArchivedJob).where(ArchivedJob.id.in_(ids)))
    return len(ids)
