"""Check-in: a device says that it is there, and what is due for it is sent."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from contract.uplink import CheckIn, CheckInReply
from control.database.tables import Device
from control.dispatch.outbox import pending_entries
from control.planning.service import plan_fleet


def check_in(
    session: Session, device: Device, message: CheckIn, *, check_in_interval: timedelta, now: datetime
) -> CheckInReply:
    """Note that the device is there, plan for it, and put what is due for it into the outbox."""
    device.last_seen_at = now
    device.facts = message.facts.model_dump(mode="json")
    session.flush()
    plan_fleet(session, now=now, online_since=now, device_id=device.id)
    return CheckInReply(
        jobs_sent=pending_entries(session, device.id),
        check_in_interval_seconds=check_in_interval.total_seconds(),
        server_time=now,
    )
