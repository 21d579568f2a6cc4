"""Plan: load, decide, and write jobs and outbox entries, all in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.catalog.deliveries import keep_delivery
from control.database.session import Database, lock_planning
from control.database.tables import AppRequestRow, Job
from control.dispatch.resend import resend
from control.newest_jobs import give_way
from control.planning.models import Demand, Fleet, Mark, Plan
from control.planning.new_jobs import make_jobs
from control.planning.plan import plan
from control.planning.queueing import has_unqueued, queue
from control.planning.selection import Selection, Span, Those
from control.planning.snapshot import load_fleet, load_span, next_span
from control.steering.orders import place_order

#: Devices planned for at once: they fit into memory, and nobody who waits for the lock notices.
PART: Final = 1000
#: Databases bound the number of parameters of one statement.
_BATCH = 500

_NOTHING_NEXT: Final = {
    "next_action_at": None,
    "next_action_reason": None,
    "next_action_detail": "",
    "waits_for_app_id": None,
}


@dataclass(frozen=True)
class Planned:
    """What came of planning, in numbers of jobs.

    Attributes:
        queued: Put into the outbox, because their devices are online.
    """

    made: int = 0
    cancelled: int = 0
    queued: int = 0

    def __add__(self, other: "Planned") -> "Planned":
        """Both together."""
        return Planned(self.made + other.made, self.cancelled + other.cancelled, self.queued + other.queued)


def plan_devices(session: Session, device_ids: Sequence[str], *, now: datetime, online_since: datetime) -> Planned:
    """Plan for some devices.

    Args:
        session: The transaction that everything happens in.
        device_ids: The devices; few enough for one statement.
        now: The time.
        online_since: Devices seen since then are online and are sent to; others are when they check in.
    """
    lock_planning(session)
    return _carry_out(session, load_fleet(session, now, *device_ids), Those(tuple(device_ids)), online_since)


def plan_device(session: Session, device_id: str, *, now: datetime, online_since: datetime) -> Planned:
    """Plan for one device. The arguments are those of `plan_devices`."""
    return plan_devices(session, [device_id], now=now, online_since=online_since)


@dataclass(frozen=True)
class Part:
    """What came of a part of the fleet, up to the device with this id."""

    planned: Planned
    last_id: str


def plan_fleet(database: Database, *, now: datetime, online_since: datetime) -> Planned:
    """Plan for the whole fleet, part by part, each in a transaction of its own: nobody waits long for a large fleet.

    One that dies in the middle has planned for whole devices, and who comes after him plans for the others. The
    arguments are those of `plan_devices`.
    """
    total, part = Planned(), Part(Planned(), "")
    while (following := plan_part(database, part, now=now, online_since=online_since)) is not None:
        total, part = total + following.planned, following
    return total


def plan_part(database: Database, last: Part, *, now: datetime, online_since: datetime) -> Part | None:
    """Plan for the devices that follow another part; None where there is no more.

    They are looked at first, and locked only where something is to be changed: where that was so in the last part, it
    mostly is in this one.
    """
    span = _next(database, last.last_id)
    if span is None:
        return None
    if last.planned == Planned() and not _is_due(database, span, now, online_since):
        return Part(Planned(), span.last_id)
    with database.transaction() as session:
        lock_planning(session)
        return Part(_carry_out(session, load_span(session, now, span), span, online_since), span.last_id)


def _next(database: Database, after: str) -> Span | None:
    with database.snapshot() as session:
        return next_span(session, after, PART)


def _is_due(database: Database, span: Span, now: datetime, online_since: datetime) -> bool:
    with database.snapshot() as session:
        return plan(load_span(session, now, span)) != Plan() or has_unqueued(session, span, online_since)


def _carry_out(session: Session, fleet: Fleet, devices: Selection, online_since: datetime) -> Planned:
    decided = plan(fleet)
    _write(session, decided, fleet.demand)
    return Planned(
        made=len(decided.make),
        cancelled=len(decided.cancel) + len(decided.recall),
        queued=queue(session, devices, fleet.demand.now, online_since) if _has_planned(fleet, decided) else 0,
    )


def _has_planned(fleet: Fleet, decided: Plan) -> bool:
    """Whether there are jobs now that may have to be put into the outbox; most devices that check in have none."""
    is_made = decided.make or decided.advance or decided.look_again
    jobs = (job for device in fleet.devices for job in device.jobs.values())
    return bool(is_made) or any(job.state is JobState.PLANNED for job in jobs)


def _write(session: Session, decided: Plan, demand: Demand) -> None:
    now = demand.now
    wants = [*(job.want for job in decided.make), *(one.want for one in (*decided.advance, *decided.adjust))]
    for digest in {want.settings_digest for want in wants}:
        keep_delivery(session, demand.deliveries[digest])
    _hold(session, decided)
    _void(session, decided)
    _end(session, decided, now)
    _change(session, decided, now)
    make_jobs(session, decided.make, now)


def _hold(session: Session, decided: Plan) -> None:
    """Lock the jobs that change, in the order of their ids, as everybody locks jobs: some may be on their way now."""
    changed = {*(one.job_id for one in (*decided.advance, *decided.adjust)), *(mark.job_id for mark in decided.marks)}
    replaced = {new.replaces for new in decided.make if new.replaces is not None}
    ended = (*decided.cancel, *decided.recall, *decided.release)
    ids = sorted({*ended, *decided.look_again, *changed, *replaced})
    for start in range(0, len(ids), _BATCH):
        part = select(Job.id).where(Job.id.in_(ids[start : start + _BATCH]))
        session.execute(part.order_by(Job.id).with_for_update())


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
    replaced = {new.replaces for new in decided.make}
    give_way(session, [one for one in (*decided.cancel, *decided.release) if one not in replaced])
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
