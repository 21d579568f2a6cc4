"""Plan: load, decide, and write jobs and outbox entries, all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.catalog.deliveries import keep_delivery
from control.database.session import lock_planning
from control.database.tables import AppRequestRow, Device, Job, OutboxEntry
from control.dispatch.resend import resend
from control.newest_jobs import give_way, make_way
from control.planning.models import Demand, Mark, NewJob, Plan, Want
from control.planning.plan import plan
from control.planning.snapshot import load_demand, load_fleet, load_parts
from control.steering.orders import place_order

#: Databases bound the number of parameters of one statement.
_BATCH = 500

_NOTHING_NEXT: Final = {
    "next_action_at": None,
    "next_action_reason": None,
    "next_action_detail": "",
    "waits_for_app_id": None,
}

#: The fields of `Want` that a job's row has under the same names.
_WANTED_COLUMNS: Final = tuple(field.name for field in fields(Want))


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
    whole = device_id is None
    parts = load_parts(session, load_demand(session, now)) if whole else [load_fleet(session, now, device_id)]
    made = cancelled = 0
    for fleet in parts:
        decided = plan(fleet)
        _write(session, decided, fleet.demand, now)
        made += len(decided.make)
        cancelled += len(decided.cancel) + len(decided.recall)
    return Planned(made=made, cancelled=cancelled, queued=_queue(session, now, online_since, device_id))


def _write(session: Session, decided: Plan, demand: Demand, now: datetime) -> None:
    wants = [*(job.want for job in decided.make), *(one.want for one in (*decided.advance, *decided.adjust))]
    for digest in {want.settings_digest for want in wants}:
        keep_delivery(session, demand.deliveries[digest])
    _void(session, decided)
    _end(session, decided, now)
    _change(session, decided, now)
    _make(session, decided.make, now)


def _void(session: Session, decided: Plan) -> None:
    for device_id, app_id in decided.void:
        of_both = AppRequestRow.device_id == device_id, AppRequestRow.app_id == app_id
        session.execute(delete(AppRequestRow).where(*of_both))


def _end(session: Session, decided: Plan, now: datetime) -> None:
    superseded = {"cancel_reason": CancelReason.SUPERSEDED}
    cancelled = {**superseded, **_NOTHING_NEXT, "state": JobState.CANCELLED, "finished_at": now}
    recalled = {**superseded, **_NOTHING_NEXT, "state": JobState.CANCELLING}
    for ids, values in ((decided.cancel, cancelled), (decided.recall, recalled), (decided.release, superseded)):
        for start in range(0, len(ids), _BATCH):
            session.execute(update(Job).where(Job.id.in_(ids[start : start + _BATCH])).values(values))
    give_way(session, (*decided.cancel, *decided.release))
    _tell_devices(session, (*decided.cancel, *decided.recall), now)


def _change(session: Session, decided: Plan, now: datetime) -> None:
    """Change jobs that stay; what is sent anew is put into the outbox with all else that is planned."""
    for changed in (*decided.advance, *decided.adjust):
        job = session.get_one(Job, changed.job_id, with_for_update=True)
        job.settings_digest, job.evaluates_only = changed.want.settings_digest, changed.want.evaluates_only
    for job_id in (*(changed.job_id for changed in decided.advance), *decided.look_again):
        job = session.get_one(Job, job_id, with_for_update=True)
        resend(session, job, GenerationReason.RELATIONS, now, online=False)
    for mark in decided.marks:
        _mark(session.get_one(Job, mark.job_id, with_for_update=True), mark, now)
    session.flush()


def _mark(job: Job, mark: Mark, now: datetime) -> None:
    job.enforcement_state, job.waits_for_app_id = mark.enforcement_state, mark.waits_for_app_id
    job.next_action_detail = mark.words
    if mark.held:
        job.state, job.finished_at = JobState.HELD, None
    else:
        job.state, job.finished_at = JobState.FINISHED, job.finished_at or now


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
            **{name: getattr(job.want, name) for name in _WANTED_COLUMNS},
            "generation_reason": job.reason,
            "created_at": now,
        }
        for job in jobs
    ]
    if rows:
        make_way(session, ((job.device_id, job.want.app_id) for job in jobs))
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
