"""Saving the broker's users: all that were made within some seconds at once.

Whom the broker has to be told again, should it be restarted before, stands in the database: it survives every process.
"""

from typing import Final

from control.database.session import Database
from control.fleet.broker_upkeep import BrokerUpkeep
from control.fleet.enrollment import Enrollment
from control.shards.each import at_each

#: For so long, at most, a new device's broker user could be lost by a restart of the broker, until the next save.
_INTERVAL_SECONDS: Final = 3.0


def save_new_users(database: Database, enrollment: Enrollment) -> int:
    """Have each broker keep the users of newly enrolled devices.

    Returns:
        How many there were.

    Raises:
        UnavailableError: Broker or database do not answer; it is done the next time.
    """

    def save(shard: str) -> int:
        with database.transaction() as session:
            return enrollment.save_broker_users(session, shard)

    with database.snapshot() as session:
        if not enrollment.has_unsaved(session):
            return 0
    return at_each(enrollment.shards, save)


def saving_users(
    database: Database, enrollment: Enrollment, interval_seconds: float = _INTERVAL_SECONDS
) -> BrokerUpkeep:
    """A thread that does so every few seconds."""
    duty = "new users of the broker were saved"
    return BrokerUpkeep(duty, lambda: save_new_users(database, enrollment), interval_seconds)
