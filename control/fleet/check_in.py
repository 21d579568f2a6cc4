"""Check-in: devices say that they are there, and what is due for them is sent; all that come together at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session
from structlog import get_logger

from contract.jobs import JobState
from contract.uplink import CheckIn, CheckInReason, CheckInReply
from control.database.session import lock_planning
from control.database.tables import Job
from control.dispatch.outbox import pending_entries
from control.fleet.membership import refresh_devices
from control.fleet.refused_messages import note_refused_messages
from control.fleet.restored import note_memory, send_forgotten
from control.fleet.visits import Visitor, Visits
from control.live_states import LIVE_STATES
from control.planning.service import plan_devices
from control.shards.arrival import told_broker
from control.steering.orders import standing_orders_of

_log = get_logger(__name__)


@dataclass(frozen=True)
class Arrival:
    """A device that checks in, and what it says."""

    device_id: str
    message: CheckIn


@dataclass(frozen=True)
class CheckInTerms:
    """What holds for every check-in.

    Attributes:
        interval: How often devices check in.
        online_window: How long after its last sign of life a device still counts as online.
        broker_urls: Where devices reach each shard.
    """

    interval: timedelta
    online_window: timedelta
    broker_urls: Mapping[str, str]


def check_in(
    session: Session, arrivals: Sequence[Arrival], terms: CheckInTerms, *, trusted_keys_version: int, now: datetime
) -> list[CheckInReply | None]:
    """Note that devices are there, plan for them, put what is due for them into the outbox, and say what is void.

    Returns:
        An answer for each; None for a device that is not enrolled, or no longer.
    """
    # Before any row is locked: who holds the lock may be about to change one of these devices.
    lock_planning(session)
    visits = Visits(session, {arrival.device_id for arrival in arrivals})
    devices = visits.visitors
    away = {id_ for id_, device in devices.items() if device.last_seen_at < now - terms.online_window}
    present = [(devices[one.device_id], one.message) for one in arrivals if one.device_id in devices]
    listen_at: dict[str, str | None] = {}
    restored: set[str] = set()
    for device, message in present:
        _note(device, message, now)
        listen_at[device.id] = told_broker(device, message.broker_url, terms.broker_urls, now)
        if note_memory(device, message):
            restored.add(device.id)
    visits.write()
    if away:
        # After their devices are locked: who stores a report locks the device first, too.
        _begin_listening(session, away, now)
    refresh_devices(session, list(devices.values()), now)
    for device_id in sorted(restored):
        _log.warning("a device came back from an old image", device=device_id)
        send_forgotten(session, device_id, now)
    plan_devices(session, list(devices), now=now, online_since=now)
    sent, orders = pending_entries(session, devices), standing_orders_of(session, devices)

    def reply(device_id: str) -> CheckInReply:
        interval = next_check_in(terms.interval, device_id, was_away=device_id in away)
        return CheckInReply(
            jobs_sent=sent.get(device_id, 0),
            check_in_interval_seconds=interval.total_seconds(),
            server_time=now,
            trusted_keys_version=trusted_keys_version,
            orders=orders.get(device_id, ()),
            broker_url=listen_at[device_id],
        )

    return [reply(arrival.device_id) if arrival.device_id in devices else None for arrival in arrivals]


def next_check_in(interval: timedelta, device_id: str, *, was_away: bool) -> timedelta:
    """When a device checks in next: after the interval; earlier, each at its own time, where it was away.

    Devices that come back in the same minute, after a power cut say, would keep step for ever. So the first interval
    is between half and all of the usual one, always the same for a device.
    """
    share = 0.5 + int(device_id[:4], 16) / 0x20000 if was_away else 1.0
    return interval * share


def _note(device: Visitor, message: CheckIn, now: datetime) -> None:
    if message.reason is CheckInReason.AGENT_RESTART:
        device.agent_started_at = now
    device.last_seen_at = now
    device.facts = message.facts.model_dump(mode="json")
    note_refused_messages(device, message)


def _begin_listening(session: Session, device_ids: Collection[str], now: datetime) -> None:
    """Count silence from now on: what was sent while the devices were away waits in their queues."""
    waiting = (Job.device_id.in_(sorted(device_ids)), Job.state.in_(LIVE_STATES), Job.state != JobState.PLANNED)
    session.execute(update(Job).where(*waiting).values(last_sign_at=now))
