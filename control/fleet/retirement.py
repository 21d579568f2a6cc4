"""Retirement: a device that is lost, stolen or replaced is shut out for good."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from control.cancel_reasons import CancelReason
from control.database.session import lock_planning
from control.database.tables import Device, Job
from control.live_states import LIVE_STATES
from control.newest_jobs import give_way


def retire(session: Session, device: Device, now: datetime) -> bool:
    """Have the API refuse the device from now on and give up its jobs; its broker user is not touched here.

    Returns:
        Whether it was in use until now.
    """
    lock_planning(session)
    session.refresh(device, ["retired_at"])
    was_active = device.retired_at is None
    if was_active:
        device.retired_at = now
    own = select(Job.id).where(Job.device_id == device.id, Job.state.in_(LIVE_STATES))
    live = session.scalars(own.order_by(Job.id).with_for_update()).all()
    nothing_next = {"next_action_at": None, "next_action_reason": None}
    over = {"state": JobState.CANCELLED, "cancel_reason": CancelReason.SUPERSEDED, "finished_at": now}
    session.execute(update(Job).where(Job.id.in_(live)).values({**over, **nothing_next}))
    give_way(session, live)
    return was_active
