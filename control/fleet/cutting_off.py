"""Shutting retired devices out of the broker, also where it was away when they were retired.

Only the API may change the broker's users, so it is the API that finishes this, not the control plane's workers. What
is left to do stands in the database: it survives every process.
"""

from typing import Final

from sqlalchemy import select, update

from contract.clock import Clock
from control.database.session import Database
from control.database.tables import Device
from control.fleet.broker_upkeep import BrokerUpkeep
from control.fleet.enrollment import Enrollment
from control.shards.each import at_each
from control.shards.placement import is_at

#: A retired device is to be out of the broker within a minute of its return.
_INTERVAL_SECONDS: Final = 10.0
#: Devices of one shard and one turn.
_BATCH: Final = 500


def cut_off_retired(database: Database, enrollment: Enrollment, clock: Clock) -> int:
    """Remove the broker users of retired devices that still have one.

    Returns:
        How many there were.

    Raises:
        UnavailableError: Broker or database do not answer; what was done is not done again.
    """

    def cut_off_at(shard: str) -> int:
        left = (Device.retired_at.is_not(None), Device.cut_off_at.is_(None), is_at(shard, enrollment.shards))
        with database.snapshot() as session:
            devices = session.scalars(select(Device).where(*left).limit(_BATCH)).all()
        for device in devices:
            enrollment.cut_off(device)
            with database.transaction() as session:
                session.execute(update(Device).where(Device.id == device.id).values(cut_off_at=clock.now()))
        return len(devices)

    return at_each(enrollment.shards, cut_off_at)


def cutting_off(
    database: Database, enrollment: Enrollment, clock: Clock, interval_seconds: float = _INTERVAL_SECONDS
) -> BrokerUpkeep:
    """A thread that looks every few seconds for devices to be cut off."""
    return BrokerUpkeep(
        "retired devices were shut out of the broker",
        lambda: cut_off_retired(database, enrollment, clock),
        interval_seconds,
    )
