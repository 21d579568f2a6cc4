"""Which shard a device belongs at: rendezvous hashing, a pure function.

Each shard gives a device a weight, and the greatest one wins. A shard that is added takes from each of the others only
what it wins itself; one that is taken away leaves only its own.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

#: The shard at BROKER_URL; without any further one all devices are there.
FIRST_SHARD: Final = "first"


def shard_of(device_id: str, shards: Iterable[str]) -> str:
    """The shard a device belongs at, the same in every process and on every machine.

    Args:
        device_id: The device.
        shards: The names of all shards, at least one.
    """
    return max(shards, key=lambda name: (_weight(device_id, name), name))


def _weight(device_id: str, shard: str) -> bytes:
    return sha256(f"{shard} {device_id}".encode()).digest()
