"""Moving devices to the shard they belong at, in steps that may each be cut off and made again.

| step | by | cut off before the database knows of it |
|---|---|---|
| the device is let in at the new shard; `next_shard` says so | `begin_moves`, a command | it is let in again |
| it hears the address, tries it, keeps it, begins anew there | the agent | it hears it at its next check-in |
| it says that it listens there; what is sent to it goes there | `told_broker`, its check-in | it says so again |
| what lies at the old shard is put into the new queue, then taken away | `follow_moves`, the API | it looks again |
| its user at the old shard is removed; `left_shard` is cleared | `follow_moves`, the API | there is nothing to remove |

A message may so come twice, and is never missing: the device's ledger knows what it has seen.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from contract.clock import Clock
from control.database.session import Database
from control.database.tables import Device
from control.fleet.broker_users import BrokerUsers
from control.shards.device_brokers import DeviceBrokers
from control.shards.device_queues import DeviceQueues
from control.shards.each import at_each
from control.shards.hashing import shard_of
from control.steering.calls import ask_for_calls

#: Devices of one transaction.
BATCH: Final = 200
#: Devices that are looked at in one go.
_PAGE: Final = 2000
#: For so long the old queue is looked at: a dispatcher that had just asked where the device listens has sent by then.
_AFTERMATH: Final = timedelta(minutes=1)
#: A device that is silent for so long is not waited for: it hears where to go when it is back.
_PATIENCE: Final = timedelta(days=1)


@dataclass(frozen=True)
class _Way:
    """From which shard to which devices went."""

    left: str
    target: str


def misplaced_devices(session: Session, shards: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Each device that is to move to one of these shards: its id, where it is, where it belongs.

    Devices that are on their way, or have just arrived, are left out.
    """
    settled = (Device.retired_at.is_(None), Device.next_shard.is_(None), Device.left_shard.is_(None))
    columns = select(Device.id, Device.broker_shard).where(*settled, Device.broker_secret_hash != "")
    after = ""
    while page := session.execute(columns.where(Device.id > after).order_by(Device.id).limit(_PAGE)).all():
        for device_id, shard in page:
            home = shard_of(device_id, shards)
            if home != shard:
                yield device_id, shard, home
        after = page[-1][0]


def begin_moves(
    session: Session,
    device_ids: Sequence[str],
    shards: Collection[str],
    users: Mapping[str, BrokerUsers],
    *,
    online_since: datetime,
    now: datetime,
) -> int:
    """Let devices in at the shards they belong at, and have those that are online check in, where they hear of it.

    Args:
        session: The transaction.
        device_ids: The devices; who has begun to move meanwhile is left as they are.
        shards: Where devices are to be from now on.
        users: Of all shards.
        online_since: Devices seen since then are called.
        now: The time.

    Returns:
        How many devices will move.

    Raises:
        UnavailableError: One of the shards does not answer.
    """
    still = (Device.retired_at.is_(None), Device.next_shard.is_(None), Device.left_shard.is_(None))
    rows = select(Device).where(Device.id.in_(device_ids), *still).order_by(Device.id).with_for_update(key_share=True)
    moving = [device for device in session.scalars(rows) if shard_of(device.id, shards) != device.broker_shard]
    hashes: dict[str, dict[str, str]] = defaultdict(dict)
    for device in moving:
        device.next_shard = shard_of(device.id, shards)
        hashes[device.next_shard][device.id] = device.broker_secret_hash
    ask_for_calls(session, [device for device in moving if device.last_seen_at >= online_since], now)
    session.flush()
    for shard, hashed in hashes.items():
        users[shard].save(hashed)
    return len(moving)


def follow_moves(database: Database, brokers: DeviceBrokers, clock: Clock) -> int:
    """Bring after devices what lies at the shards they have left, and after a minute remove their users there.

    Returns:
        For how many devices the move is over.

    Raises:
        UnavailableError: A shard or the database does not answer; what is left is done the next time.
    """
    with database.snapshot() as session:
        some_wait = session.scalar(select(Device.id).where(Device.next_shard.is_not(None)).limit(1)) is not None
    if some_wait:
        with database.transaction() as session:
            _wait_no_longer(session, clock.now())
    with database.snapshot() as session:
        ways = select(Device.left_shard, Device.broker_shard).where(Device.left_shard.is_not(None)).distinct()
        walked = [_Way(left, target) for left, target in session.execute(ways) if left is not None]
    return at_each(walked, lambda way: _follow(database, brokers, clock, way))


def _wait_no_longer(session: Session, now: datetime) -> None:
    silent = (Device.next_shard.is_not(None), Device.last_seen_at < now - _PATIENCE)
    moved = {
        Device.left_shard: Device.broker_shard,
        Device.broker_shard: Device.next_shard,
        Device.next_shard: None,
        Device.left_shard_at: now,
    }
    session.execute(update(Device).where(*silent).values(moved).execution_options(synchronize_session=False))


def _follow(database: Database, brokers: DeviceBrokers, clock: Clock, way: _Way) -> int:
    over, after = 0, ""
    while True:
        with database.transaction() as session:
            went = (Device.left_shard == way.left, Device.broker_shard == way.target, Device.id > after)
            rows = select(Device).where(*went).order_by(Device.id).limit(BATCH).with_for_update(skip_locked=True)
            devices = session.scalars(rows).all()
            if not devices:
                return over
            if {way.left, way.target} <= brokers.queues.keys():
                _bring(brokers.queues[way.left], brokers.queues[way.target], devices)
            over += _let_go(brokers.users, way.left, devices, clock.now())
        after = devices[-1].id


def _bring(left: DeviceQueues, target: DeviceQueues, devices: Sequence[Device]) -> None:
    messages = left.contents([device.id for device in devices])
    if messages:
        target.put_first(messages)
        left.drop(messages)


def _let_go(users: Mapping[str, BrokerUsers], left: str, devices: Sequence[Device], now: datetime) -> int:
    """Forget where devices were that have been gone from there for a while; a shard that is no more, at once."""
    if left not in users:
        over = list(devices)
    else:
        over = [device for device in devices if device.left_shard_at and device.left_shard_at <= now - _AFTERMATH]
        if over:
            users[left].remove(*(device.id for device in over))
    for device in over:
        device.left_shard = device.left_shard_at = None
    return len(over)
