"""Where devices are, as the database has it: there it is decided, the hash only says where they should be."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, or_

from control.database.tables import Device
from control.shards.hashing import FIRST_SHARD

#: The columns that say where a device is.
PLACES: Final = (Device.broker_shard, Device.next_shard, Device.left_shard)


def is_at(shard: str, shards: Collection[str]) -> ColumnElement[bool]:
    """Devices that are at a shard; those of a shard that is no longer there count as at the first.

    Args:
        shard: One of the shards.
        shards: The names of all.
    """
    if shard != FIRST_SHARD:
        return Device.broker_shard == shard
    return or_(Device.broker_shard == FIRST_SHARD, Device.broker_shard.not_in(shards))


def places_of(device: Device, shards: Collection[str]) -> frozenset[str]:
    """The shards at which a device has a user: where it listens, where it goes, where it was."""
    at = device.broker_shard if device.broker_shard in shards else FIRST_SHARD
    return frozenset(name for name in (at, device.next_shard, device.left_shard) if name is not None and name in shards)
