"""Carry out "retry now", "rerun detection" and "cancel": in batches, each job locked, each batch in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from contract.jobs import JobState
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.database.session import Database, lock_planning
from control.database.tables import App, Device, Job, OrderRow
from control.dispatch.resend import resend
from control.steering.decisions import Change, Standing, Verdict, decide_cancel, decide_detection, decide_retry
from control.steering.orders import place_order, withdraw_order

#: Jobs of one transaction: others are not kept waiting for long.
_BATCH: Final = 500


@dataclass(frozen=True)
class Wish:
    """What an operator wants done.

    Attributes:
        force: See `decide_retry` and `decide_cancel`.
        dry_run: Only say what would come of it.
        require: Refuses by an error, in the transaction that changes jobs and before it changes any.
        note: Records what was changed, in the transaction that changes it.
        online_since: Devices seen since then are sent to at once.
    """

    now: datetime
    online_since: datetime
    force: bool = False
    dry_run: bool = False
    require: Callable[[Session], None] | None = None
    note: Callable[[Session, Sequence["Steered"]], None] | None = None


@dataclass(frozen=True)
class Steered:
    """What came of it for one job; `state` is where the job was."""

    job_id: str
    device: str
    app: str
    state: JobState
    verdict: Verdict


_Action = Callable[[Session, Job, Device, Standing, Wish], Verdict]


def retry_jobs(database: Database, job_ids: Sequence[str], wish: Wish) -> list[Steered]:
    """Send jobs anew, now."""
    return _steer(database, job_ids, wish, _retry)


def detect_jobs(database: Database, job_ids: Sequence[str], wish: Wish) -> list[Steered]:
    """Have devices judge and report anew how their apps stand."""
    return _steer(database, job_ids, wish, _detect)


def cancel_jobs(database: Database, job_ids: Sequence[str], wish: Wish) -> list[Steered]:
    """Cancel jobs: at once what no device has, by an order what a device may have."""
    return _steer(database, job_ids, wish, _cancel)


def only(steered: Sequence[Steered], job_id: str) -> Steered:
    """What came of it for a job that was named by its id.

    Raises:
        NotFoundError: There is no such job.
        InputError: It cannot be done to this job.
    """
    if not steered:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)
    verdict = steered[0].verdict
    if verdict.refusal is not None:
        raise InputError(verdict.refusal, place=job_id, detail=f"{steered[0].app} on {steered[0].device}")
    return steered[0]


def _steer(database: Database, job_ids: Sequence[str], wish: Wish, action: _Action) -> list[Steered]:
    steered: list[Steered] = []
    for start in range(0, len(job_ids), _BATCH):
        with database.transaction() as session:
            lock_planning(session)
            batch = _steer_batch(session, job_ids[start : start + _BATCH], wish, action)
            changed = [one for one in batch if one.verdict.change.is_made]
            if wish.note is not None and changed and not wish.dry_run:
                wish.note(session, changed)
            steered += batch
    return steered


def _steer_batch(session: Session, job_ids: Sequence[str], wish: Wish, action: _Action) -> list[Steered]:
    jobs = (
        select(Job, Device, App.name)
        .join(Device, Device.id == Job.device_id)
        .join(App, App.id == Job.app_id)
        .where(Job.id.in_(job_ids))
        .order_by(Job.id)
        .with_for_update(of=Job)
    )
    found = session.execute(jobs).all()
    if wish.require is not None:
        wish.require(session)
    standings = _standings(session, [job for job, _, _ in found])
    with session.no_autoflush:
        return [
            Steered(job.id, device.name, app, job.state, action(session, job, device, standings[job.id], wish))
            for job, device, app in found
        ]


def _retry(session: Session, job: Job, device: Device, standing: Standing, wish: Wish) -> Verdict:
    verdict = decide_retry(standing, force=wish.force)
    if verdict.change is Change.RESENT and not wish.dry_run:
        if standing.order is not None:
            withdraw_order(session, job.id)
        resend(session, job, GenerationReason.OPERATOR, wish.now, online=_is_online(device, wish))
    return verdict


def _detect(session: Session, job: Job, device: Device, standing: Standing, wish: Wish) -> Verdict:
    verdict = decide_detection(standing)
    if verdict.change is Change.RESENT and not wish.dry_run:
        resend(session, job, GenerationReason.DETECTION, wish.now, online=_is_online(device, wish))
    return verdict


def _is_online(device: Device, wish: Wish) -> bool:
    return device.retired_at is None and device.last_seen_at >= wish.online_since


def _cancel(session: Session, job: Job, _device: Device, standing: Standing, wish: Wish) -> Verdict:
    verdict = decide_cancel(standing, force=wish.force)
    if not wish.dry_run and verdict.change in {Change.CANCELLED, Change.CANCELLING}:
        job.cancel_reason = CancelReason.OPERATOR
        job.next_action_at = job.next_action_reason = None
        job.next_action_detail = ""
        if verdict.change is Change.CANCELLED:
            job.state, job.finished_at = JobState.CANCELLED, wish.now
        else:
            job.state = JobState.CANCELLING
            place_order(session, job, OrderKind.STOP if wish.force else OrderKind.CANCEL, wish.now)
    return verdict


def _standings(session: Session, jobs: Sequence[Job]) -> dict[str, Standing]:
    ids = [job.id for job in jobs]
    orders = {order.job_id: order.kind for order in session.scalars(select(OrderRow).where(OrderRow.job_id.in_(ids)))}
    return {
        job.id: Standing(
            state=job.state,
            outcome=job.outcome,
            generation_reason=job.generation_reason,
            cancel_reason=job.cancel_reason,
            was_sent=job.sent_at is not None,
            is_newest=job.is_newest,
            order=orders.get(job.id),
        )
        for job in jobs
    }
