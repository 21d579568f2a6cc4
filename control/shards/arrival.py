"""Which broker a device is to listen at, told at its check-in, and that it has arrived there."""

from collections.abc import Mapping
from datetime import datetime

from control.fleet.visits import Visitor


def told_broker(device: Visitor, listens_at: str, addresses: Mapping[str, str], now: datetime) -> str | None:
    """Note where a device listens, and say where it should.

    Args:
        device: The device.
        listens_at: The address it says; empty where it does not listen.
        addresses: Of each shard, as devices are told it.
        now: The time.

    Returns:
        The broker's address where the device is to go to another one; None where it is to stay.
    """
    if not listens_at:
        return None
    if device.next_shard is not None and listens_at == addresses.get(device.next_shard):
        device.left_shard, device.left_shard_at = device.broker_shard, now
        device.broker_shard, device.next_shard = device.next_shard, None
    expected = addresses.get(device.next_shard or device.broker_shard)
    return None if listens_at == expected else expected
