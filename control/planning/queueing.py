"""Put jobs into the outbox: those that were not sent yet, of devices that are online."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import CursorResult, Insert, Select, bindparam, func, insert, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.database.tables import Device, Job, OutboxEntry
from control.planning.selection import AboutDevices, Selection, SelectionKind

if TYPE_CHECKING:
    from sqlalchemy import Table

_OUTBOX: Final = cast("Table", OutboxEntry.__table__)
_JOBS: Final = cast("Table", Job.__table__)
_DEVICES: Final = cast("Table", Device.__table__)

_ENTRY: Final = _OUTBOX.c
_JOB: Final = _JOBS.c
_DEVICE: Final = _DEVICES.c

#: No index serves this: that of states would find the planned jobs of the whole fleet for each part of it.
_IS_PLANNED: Final = func.nullif(_JOB.state, JobState.PLANNED).is_(None)


def _unqueued(kind: SelectionKind) -> Select[Any]:
    is_queued = (_ENTRY.job_id == _JOB.id) & (_ENTRY.generation == _JOB.generation)
    return (
        select(_JOB.id, _JOB.generation)
        .join_from(_JOBS, _DEVICES, _DEVICE.id == _JOB.device_id)
        .outerjoin(_OUTBOX, is_queued)
        .where(kind.holds(_JOB.device_id), _JOB.is_newest, _IS_PLANNED)
        .where(kind.holds(_DEVICE.id), _DEVICE.last_seen_at >= bindparam("online_since"), _ENTRY.job_id.is_(None))
    )


@AboutDevices
def _first_unqueued(kind: SelectionKind) -> Select[Any]:
    return _unqueued(kind).limit(1)


@AboutDevices
def _entries(kind: SelectionKind) -> Insert:
    to_send = _unqueued(kind).order_by(_JOB.created_at).add_columns(bindparam("now", type_=_ENTRY.created_at.type))
    entries = insert(_OUTBOX).from_select(["job_id", "generation", "created_at"], to_send)
    return entries.execution_options(preserve_rowcount=True)


def has_unqueued(session: Session, devices: Selection, online_since: datetime) -> bool:
    """Whether there is anything of these devices to be put into the outbox."""
    return _first_unqueued.execute(session, devices, online_since=online_since).first() is not None


def queue(session: Session, devices: Selection, now: datetime, online_since: datetime) -> int:
    """Put into the outbox, oldest first, what these devices are to be sent and nobody is sending yet; how many jobs.

    Args:
        session: The transaction; what it has written counts.
        devices: The devices.
        now: The time.
        online_since: Devices seen since then are online.
    """
    queued = _entries.execute(session, devices, now=now, online_since=online_since)
    return cast("CursorResult[Any]", queued).rowcount
