"""The API's thread that follows devices from shard to shard: it alone may change the broker's users."""

from typing import Final

from contract.clock import Clock
from control.database.session import Database
from control.fleet.broker_upkeep import BrokerUpkeep
from control.shards.device_brokers import DeviceBrokers
from control.shards.moving import follow_moves

#: For so long, at most, the rest of a job that was under way waits in the old queue.
_INTERVAL_SECONDS: Final = 2.0


def following(
    database: Database, brokers: DeviceBrokers, clock: Clock, interval_seconds: float = _INTERVAL_SECONDS
) -> BrokerUpkeep:
    """A thread that looks every few seconds for devices that have arrived at another shard."""
    duty = "devices have moved to their shard"
    return BrokerUpkeep(duty, lambda: follow_moves(database, brokers, clock), interval_seconds)
