"""Put jobs into the outbox: those that were not sent yet, of devices that are online."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import CursorResult, Select, func, insert, literal, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.database.tables import Device, Job, OutboxEntry
from control.planning.selection import Selection

if TYPE_CHECKING:
    from sqlalchemy import Table

_OUTBOX: Final = cast("Table", OutboxEntry.__table__)


def has_unqueued(session: Session, devices: Selection, online_since: datetime) -> bool:
    """Whether there is anything of these devices to be put into the outbox."""
    return session.execute(_unqueued(devices, online_since).limit(1)).first() is not None


def queue(session: Session, devices: Selection, now: datetime, online_since: datetime) -> int:
    """Put into the outbox, oldest first, what these devices are to be sent and nobody is sending yet; how many jobs.

    Args:
        session: The transaction; what it has written counts.
        devices: The devices.
        now: The time.
        online_since: Devices seen since then are online.
    """
    unqueued = _unqueued(devices, online_since).order_by(Job.created_at)
    to_send = unqueued.add_columns(literal(now, OutboxEntry.created_at.type))
    entries = insert(_OUTBOX).from_select(["job_id", "generation", "created_at"], to_send)
    queued = session.execute(entries, execution_options={"preserve_rowcount": True})
    return cast("CursorResult[Any]", queued).rowcount


def _unqueued(devices: Selection, online_since: datetime) -> Select[str, int]:
    is_queued = (OutboxEntry.job_id == Job.id) & (OutboxEntry.generation == Job.generation)
    return (
        select(Job.id, Job.generation)
        .join(Device, Device.id == Job.device_id)
        .outerjoin(OutboxEntry, is_queued)
        .where(devices.holds(Job.device_id), Job.is_newest, _IS_PLANNED)
        .where(devices.holds(Device.id), Device.last_seen_at >= online_since, OutboxEntry.job_id.is_(None))
    )


#: No index serves this: that of states would find the planned jobs of the whole fleet for each part of it.
_IS_PLANNED: Final = func.nullif(Job.state, JobState.PLANNED).is_(None)
