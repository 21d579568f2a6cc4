"""The orders that stand for devices: kept until the jobs they concern are reported, sent anew or long over."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import JobOrder, OrderKind
from control.database.among import among
from control.database.tables import Job, OrderRow

#: Orders that one answer carries; the oldest come first, the rest when these are settled.
MAX_ORDERS = 1000

_DEVICE_ID: Final = OrderRow.__table__.c.device_id
_CONCERNED: Final = select(_DEVICE_ID).where(among(_DEVICE_ID, "device_ids")).distinct()


def place_order(session: Session, job: Job, kind: OrderKind, now: datetime) -> None:
    """Have the job's device let go of it; a stronger order takes a weaker one's place, never the other way round."""
    standing = session.get(OrderRow, job.id)
    if standing is None:
        session.add(
            OrderRow(job_id=job.id, device_id=job.device_id, generation=job.generation, kind=kind, created_at=now)
        )
        return
    standing.generation = job.generation
    if kind is OrderKind.STOP:
        standing.kind = kind


def withdraw_order(session: Session, job_id: str) -> None:
    """The job is to be carried out after all, or its device has let go of it."""
    session.execute(delete(OrderRow).where(OrderRow.job_id == job_id))


def standing_orders(session: Session, device_id: str) -> tuple[JobOrder, ...]:
    """What a device is to let go of, oldest first."""
    rows = (
        select(OrderRow)
        .where(OrderRow.device_id == device_id)
        .order_by(OrderRow.created_at, OrderRow.job_id)
        .limit(MAX_ORDERS)
    )
    return tuple(JobOrder(job_id=row.job_id, generation=row.generation, kind=row.kind) for row in session.scalars(rows))


def standing_orders_of(session: Session, device_ids: Collection[str]) -> Mapping[str, tuple[JobOrder, ...]]:
    """The same for each of these devices that is to let go of something; what is not flushed yet is not seen."""
    concerned = session.scalars(_CONCERNED, {"device_ids": sorted(device_ids)}).all()
    return {device_id: standing_orders(session, device_id) for device_id in concerned}


def forget_orders(session: Session, job_ids: Sequence[str]) -> None:
    """Forget orders about these jobs."""
    session.execute(delete(OrderRow).where(OrderRow.job_id.in_(job_ids)))


def forget_old_orders(session: Session, before: datetime) -> None:
    """Forget orders about jobs that are over, given before that time.

    What an order concerns is void also without it: its policy and content are refused.
    """
    over = select(Job.id).where(Job.state.in_((JobState.FINISHED, JobState.CANCELLED)))
    session.execute(delete(OrderRow).where(OrderRow.created_at < before, OrderRow.job_id.in_(over)))
