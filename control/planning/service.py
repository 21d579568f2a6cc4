"""Plan: load, decide, and write jobs and outbox entries, all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import OrderKind
from control.cancel_reasons import CancelReason
from control.database.session import lock_planning
from control.database.tables import Device, Job, OutboxEntry
from control.planning.models import NewJob, Plan
from control.planning.plan import plan
from control.planning.snapshot import load_fleet
from control.steering.orders import place_order

#: Databases bound the number of parameters of one statement.
_BATCH = 500


@dataclass(frozen=True)
class Planned:
    """What came of planning, in numbers of jobs.

    Attributes:
        queued: Put into the outbox, because their devices are online.
    """

    made: int
    cancelled: int
    queued: int


def plan_fleet(session: Session, *, now: datetime, online_since: datetime, device_id: str | None = None) -> Planned:
    """Plan for the whole fleet, or for one device.

    Args:
        session: The transaction that everything happens in.
        now: The time.
        online_since: Devices seen since then are online and are sent to; others are when they check in.
        device_id: Plan for this device only.
    """
    lock_planning(session)
    decided = plan(load_fleet(session, device_id))
    _end(session, decided, now)
    _make(session, decided.make, now)
    queued = _queue(session, now, online_since, device_id)
    cancelled = len(decided.cancel) + len(decided.recall)
    return Planned(made=len(decided.make), cancelled=cancelled, queued=queued)


def _end(session: Session, decided: Plan, now: datetime) -> None:
    nothing_next = {"next_action_at": None, "next_action_reason": None, "next_action_detail": ""}
    superseded = {"cancel_reason": CancelReason.SUPERSEDED}
    cancelled = {**superseded, **nothing_next, "state": JobState.CANCELLED, "finished_at": now}
    recalled = {**superseded, **nothing_next, "state": JobState.CANCELLING}
    for ids, values in ((decided.cancel, cancelled), (decided.recall, recalled), (decided.release, superseded)):
        for start in range(0, len(ids), _BATCH):
            session.execute(update(Job).where(Job.id.in_(ids[start : start + _BATCH])).values(values))
    _tell_devices(session, (*decided.cancel, *decided.recall), now)


def _tell_devices(session: Session, job_ids: Sequence[str], now: datetime) -> None:
    for start in range(0, len(job_ids), _BATCH):
        sent = Job.id.in_(job_ids[start : start + _BATCH]), Job.sent_at.is_not(None)
        for job in session.scalars(select(Job).where(*sent)):
            place_order(session, job, OrderKind.CANCEL, now)


def _make(session: Session, jobs: tuple[NewJob, ...], now: datetime) -> None:
    rows = [
        {
            "id": str(uuid4()),
            "device_id": job.device_id,
            "app_id": job.app_id,
            "revision": job.revision,
            "intent": job.intent,
            "generation_reason": job.reason,
            "created_at": now,
        }
        for job in jobs
    ]
    if rows:
        session.execute(insert(Job), rows)


def _queue(session: Session, now: datetime, online_since: datetime, device_id: str | None) -> int:
    waiting = (
        select(Job.id, Job.generation)
        .join(Device, Device.id == Job.device_id)
        .outerjoin(OutboxEntry, (OutboxEntry.job_id == Job.id) & (OutboxEntry.generation == Job.generation))
        .where(Job.state == JobState.PLANNED, Device.last_seen_at >= online_since, OutboxEntry.job_id.is_(None))
    )
    if device_id is not None:
        waiting = waiting.where(Job.device_id == device_id)
    rows = [
        {"job_id": job_id, "generation": generation, "created_at": now}
        for job_id, generation in session.execute(waiting)
    ]
    if rows:
        session.execute(insert(OutboxEntry), rows)
    return len(rows)
