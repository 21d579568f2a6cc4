"""Check-in: a device says that it is there, and what is due for it is sent."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session
from structlog import get_logger

from contract.jobs import JobState
from contract.uplink import CheckIn, CheckInReason, CheckInReply
from control.database.session import lock_planning
from control.database.tables import Device, Job
from control.dispatch.outbox import pending_entries
from control.fleet.membership import refresh_device
from control.fleet.refused_messages import note_refused_messages
from control.fleet.restored import note_memory
from control.live_states import LIVE_STATES
from control.planning.service import plan_device
from control.steering.orders import standing_orders

_log = get_logger(__name__)


def check_in(
    session: Session,
    device: Device,
    message: CheckIn,
    *,
    check_in_interval: timedelta,
    online_window: timedelta,
    trusted_keys_version: int,
    now: datetime,
) -> CheckInReply:
    """Note that the device is there, plan for it, put what is due for it into the outbox, and say what is void."""
    was_away = device.last_seen_at < now - online_window
    if was_away:
        _begin_listening(session, device.id, now)
    if message.reason is CheckInReason.AGENT_RESTART:
        device.agent_started_at = now
    device.last_seen_at = now
    device.facts = message.facts.model_dump(mode="json")
    note_refused_messages(device, message)
    session.flush()
    lock_planning(session)
    refresh_device(session, device, now)
    if note_memory(session, device, message, now):
        _log.warning("a device came back from an old image", device=device.id)
    plan_device(session, device.id, now=now, online_since=now)
    return CheckInReply(
        jobs_sent=pending_entries(session, device.id),
        check_in_interval_seconds=next_check_in(check_in_interval, device.id, was_away=was_away).total_seconds(),
        server_time=now,
        trusted_keys_version=trusted_keys_version,
        orders=standing_orders(session, device.id),
    )


def next_check_in(interval: timedelta, device_id: str, *, was_away: bool) -> timedelta:
    """When a device checks in next: after the interval; earlier, each at its own time, where it was away.

    Devices that come back in the same minute, after a power cut say, would keep step for ever. So the first interval
    is between half and all of the usual one, always the same for a device.
    """
    share = 0.5 + int(device_id[:4], 16) / 0x20000 if was_away else 1.0
    return interval * share


def _begin_listening(session: Session, device_id: str, now: datetime) -> None:
    """Count silence from now on: what was sent while the device was away waits in its queue."""
    waiting = (Job.device_id == device_id, Job.state.in_(LIVE_STATES), Job.state != JobState.PLANNED)
    session.execute(update(Job).where(*waiting).values(last_sign_at=now))
