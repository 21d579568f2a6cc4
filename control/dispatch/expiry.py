"""Expiry: jobs of devices that do not come back are void after a while."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import OrderKind
from control.cancel_reasons import CancelReason
from control.database.session import lock_planning
from control.database.tables import Device, Job
from control.live_states import LIVE_STATES
from control.steering.orders import forget_old_orders, place_order

#: Jobs that one run ends at most; the next run goes on.
_RUN_LIMIT: Final = 1000

#: As values, no parameters: by its own index of live jobs SQLite sees that few are, and does not read all jobs.
_IS_LIVE: Final = Job.state.in_(bindparam("live", LIVE_STATES, expanding=True, literal_execute=True))


def expire(session: Session, *, silent_since: datetime, now: datetime) -> int:
    """Cancel the live jobs of devices that were last seen before `silent_since`.

    What a device may have of them stands as an order for it. When it is seen again, what is due is planned anew.

    Returns:
        How many.
    """
    lock_planning(session)
    # What somebody has locked is being heard of.
    dead = (
        select(Job)
        .join(Device, Device.id == Job.device_id)
        .where(_IS_LIVE, Device.last_seen_at < silent_since, Job.created_at < silent_since)
        .order_by(Job.created_at, Job.id)
        .limit(_RUN_LIMIT)
        .with_for_update(of=Job, skip_locked=True)
    )
    jobs = session.scalars(dead).all()
    for job in jobs:
        if job.sent_at is not None:
            place_order(session, job, OrderKind.CANCEL, now)
        if job.state is not JobState.CANCELLING:
            job.cancel_reason = CancelReason.EXPIRED
        job.state, job.finished_at = JobState.CANCELLED, now
        job.next_action_at = job.next_action_reason = None
        job.next_action_detail = ""
    forget_old_orders(session, before=silent_since)
    return len(jobs)
