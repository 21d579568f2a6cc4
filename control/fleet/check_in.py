"""Check-in: a device says that it is there, and what is due for it is sent."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import CheckIn, CheckInReply
from control.database.tables import Device, Job
from control.dispatch.outbox import pending_entries
from control.live_states import LIVE_STATES
from control.planning.service import plan_fleet


def check_in(
    session: Session,
    device: Device,
    message: CheckIn,
    *,
    check_in_interval: timedelta,
    online_window: timedelta,
    now: datetime,
) -> CheckInReply:
    """Note that the device is there, plan for it, and put what is due for it into the outbox."""
    if device.last_seen_at < now - online_window:
        _begin_listening(session, device.id, now)
    device.last_seen_at = now
    device.facts = message.facts.model_dump(mode="json")
    session.flush()
    plan_fleet(session, now=now, online_since=now, device_id=device.id)
    return CheckInReply(
        jobs_sent=pending_entries(session, device.id),
        check_in_interval_seconds=check_in_interval.total_seconds(),
        server_time=now,
    )


def _begin_listening(session: Session, device_id: str, now: datetime) -> None:
    """Count silence from now on: what was sent while the device was away waits in its queue."""
    waiting = (Job.device_id == device_id, Job.state.in_(LIVE_STATES), Job.state != JobState.PLANNED)
    session.execute(update(Job).where(*waiting).values(last_sign_at=now))
