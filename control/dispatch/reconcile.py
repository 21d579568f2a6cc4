"""Reconcile: what is due and not heard of is sent anew; what a device will never confirm is settled; the rest expires.

The database is read first, then the broker is asked, then each job is looked at once more under a lock and changed:
nothing waits for the broker inside a transaction.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, load_only
from structlog import get_logger

from contract.errors import UnavailableError
from contract.jobs import JobState
from contract.uplink import GenerationReason
from control.database.session import Database, lock_planning
from control.database.tables import Device, Job, OrderRow, Revision
from control.dispatch.phase_limits import PHASE_LIMITS
from control.dispatch.ports import QueueInspector
from control.dispatch.resend import resend
from control.dispatch.watch import WATCHED_STATES, WatchedJob, after_others, overdue_jobs, quiet_jobs

_log = get_logger(__name__)

#: Jobs that one run changes at most, so that an emptied broker does not make a whole fleet begin at once.
_RUN_LIMIT: Final = 2000
#: Jobs of one transaction.
_BATCH: Final = 200


@dataclass(frozen=True)
class Watchfulness:
    """When the reconciler acts.

    Attributes:
        online_since: Devices seen since then are expected to do what was sent to them.
        silence_limit: See `control.dispatch.watch`.
        quiet_for: After this the broker is asked whether it still has anything for the device.
    """

    now: datetime
    online_since: datetime
    silence_limit: timedelta
    quiet_for: timedelta


@dataclass(frozen=True)
class Reconciled:
    """What came of it, in numbers of jobs.

    Attributes:
        overdue: Sent anew because nothing was heard of them in time.
        lost: Sent anew because the broker had nothing for their devices.
        settled: Cancelled, because nothing of them is left on their devices.
        freed: The ids of these devices: something else may be wanted of them now.
    """

    overdue: int = 0
    lost: int = 0
    settled: int = 0
    freed: frozenset[str] = frozenset()


def reconcile(database: Database, inspector: QueueInspector, watch: Watchfulness) -> Reconciled:
    """Find what is overdue or lost and act on it.

    Raises:
        UnavailableError: The database does not answer. A broker that does not answer only postpones its part.
    """
    with database.snapshot() as session:
        watched = _watched(session, watch)
        overdue = overdue_jobs(watched, watch.now, watch.silence_limit)
        freed_at = _freed_at(session, {job.device_id for job in overdue})
    overdue = after_others(overdue, freed_at, watch.now, watch.silence_limit)
    overdue_ids = {job.job_id for job in overdue}
    quiet = [job for job in quiet_jobs(watched, watch.now, watch.quiet_for) if job.job_id not in overdue_ids]
    lost = _lost(inspector, quiet)
    sent_overdue, freed_overdue = _act(database, overdue, watch.now)
    sent_lost, freed_lost = _act(database, lost, watch.now)
    freed = [*freed_overdue, *freed_lost]
    return Reconciled(overdue=sent_overdue, lost=sent_lost, settled=len(freed), freed=frozenset(freed))


def _lost(inspector: QueueInspector, quiet: Sequence[WatchedJob]) -> list[WatchedJob]:
    try:
        empty = inspector.without_messages({job.device_id for job in quiet})
    except UnavailableError as error:
        _log.warning("the broker cannot be asked what it has lost", error=str(error))
        return []
    return [job for job in quiet if job.device_id in empty]


def _act(database: Database, jobs: Sequence[WatchedJob], now: datetime) -> tuple[int, list[str]]:
    """Send jobs anew, or settle those that are being cancelled; how many were sent, and the settled ones' devices."""
    oldest = sorted(jobs, key=lambda job: (job.last_sign_at, job.job_id))[:_RUN_LIMIT]
    sent, settled = 0, list[str]()
    for start in range(0, len(oldest), _BATCH):
        with database.transaction() as session:
            lock_planning(session)
            for job in _unchanged(session, oldest[start : start + _BATCH]):
                if job.state is JobState.CANCELLING:
                    _settle(session, job, now)
                    settled.append(job.device_id)
                else:
                    resend(session, job, GenerationReason.RECONCILER, now)
                    sent += 1
    return sent, settled


def _unchanged(session: Session, seen: Sequence[WatchedJob]) -> Iterator[Job]:
    """The jobs, locked, of which nothing was heard since they were looked at."""
    signs = {job.job_id: (job.state, job.last_sign_at) for job in seen}
    rows = select(Job).where(Job.id.in_(signs)).order_by(Job.id).with_for_update()
    for job in session.scalars(rows).all():
        if signs[job.id] == (job.state, job.last_sign_at or job.created_at):
            yield job


def _settle(session: Session, job: Job, now: datetime) -> None:
    job.state, job.finished_at = JobState.CANCELLED, now
    job.next_action_at = job.next_action_reason = None
    order = session.get(OrderRow, job.id)
    if order is not None:
        session.delete(order)


def _watched(session: Session, watch: Watchfulness) -> list[WatchedJob]:
    """Jobs of online devices that have not got on for as long as could matter, and what else runs on these devices.

    In a fleet at work these are few; all jobs that are under way are many.
    """
    got_on = func.coalesce(Job.advanced_at, Job.last_sign_at, Job.created_at)
    is_due = or_(Job.next_action_at.is_(None), Job.next_action_at <= watch.now)
    shortest = min(watch.quiet_for, watch.silence_limit, *PHASE_LIMITS.values())
    still = _rows(session, watch, got_on <= watch.now - shortest, is_due)
    known, device_ids = {job.job_id for job in still}, sorted({job.device_id for job in still})
    for start in range(0, len(device_ids), _BATCH):
        on_these = Job.device_id.in_(device_ids[start : start + _BATCH])
        running = _rows(session, watch, on_these, Job.state == JobState.RUNNING)
        still += (job for job in running if job.job_id not in known)
    return still


def _rows(session: Session, watch: Watchfulness, *conditions: ColumnElement[bool]) -> list[WatchedJob]:
    same = (Revision.app_id == Job.app_id) & (Revision.number == Job.revision)
    online = (Device.last_seen_at >= watch.online_since, Device.retired_at.is_(None))
    rows = (
        select(Job, Revision.max_run_time_seconds, Device.agent_started_at)
        .options(load_only(*_WATCHED_COLUMNS))
        .join(Revision, same)
        .join(Device, Device.id == Job.device_id)
        .where(Job.state.in_(WATCHED_STATES), *online, *conditions)
        .execution_options(yield_per=_BATCH)
    )
    return [
        watched_job(job, timedelta(seconds=seconds), agent_started_at)
        for job, seconds, agent_started_at in session.execute(rows)
    ]


_WATCHED_COLUMNS: Final = (
    Job.device_id,
    Job.state,
    Job.last_sign_at,
    Job.created_at,
    Job.advanced_at,
    Job.phase,
    Job.phase_ended,
    Job.next_action_at,
)


def watched_job(job: Job, max_run_time: timedelta, agent_started_at: datetime | None) -> WatchedJob:
    """A row as the rules look at it."""
    return WatchedJob(
        job_id=job.id,
        device_id=job.device_id,
        state=job.state,
        last_sign_at=job.last_sign_at or job.created_at,
        advanced_at=job.advanced_at,
        phase=job.phase,
        phase_ended=job.phase_ended,
        next_action_at=job.next_action_at,
        max_run_time=max_run_time,
        agent_started_at=agent_started_at,
    )


def _freed_at(session: Session, device_ids: Collection[str]) -> dict[str, datetime]:
    ids = sorted(device_ids)
    freed: dict[str, datetime] = {}
    for start in range(0, len(ids), _BATCH):
        ended = (
            select(Job.device_id, func.max(Job.last_sign_at))
            .where(Job.device_id.in_(ids[start : start + _BATCH]), Job.state.in_((JobState.FINISHED, JobState.WAITING)))
            .group_by(Job.device_id)
        )
        freed.update({device_id: at for device_id, at in session.execute(ended) if at is not None})
    return freed
