"""Which device is in which ring: a pure function, the same for the same devices whenever it is asked."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from control.rollouts.spec import Ring

_WHOLE: Final = 100


@dataclass(frozen=True)
class Candidate:
    """A device that a rollout is for.

    Attributes:
        groups: The names of the groups it is in.
    """

    device_id: str
    groups: frozenset[str] = frozenset()


def split(rings: Sequence[Ring], candidates: Sequence[Candidate], seed: str) -> Mapping[str, int]:
    """The number of the ring that each device is in.

    Rings by groups choose first, each before later ones; then the others take their shares and counts from what is
    left, in an order that `seed` decides; the last one takes the rest. A share counts all devices, is rounded to whole
    ones, and is at least one device where any is left: a ring of none would show nothing.

    Args:
        rings: The rings, of which the last takes the rest.
        candidates: The devices.
        seed: The rollout's id: another rollout begins with other devices.
    """
    by_group = {candidate.device_id: _by_groups(rings, candidate) for candidate in candidates}
    chosen = {device_id: ring for device_id, ring in by_group.items() if ring is not None}
    left = shuffled([device_id for device_id in by_group if device_id not in chosen], seed)
    for number, ring in enumerate(rings[:-1]):
        size = min(_size(ring, len(candidates)), len(left))
        chosen.update(dict.fromkeys(left[:size], number))
        left = left[size:]
    chosen.update(dict.fromkeys(left, len(rings) - 1))
    return chosen


def ring_of_late_joiner(rings: Sequence[Ring], candidate: Candidate) -> int:
    """The ring of a device that comes when the rings are made: the one its groups say, else the last."""
    ring = _by_groups(rings, candidate)
    return len(rings) - 1 if ring is None else ring


def shuffled(device_ids: Sequence[str], seed: str) -> list[str]:
    """The devices in an order that looks like chance, and is the same for the same seed."""
    return sorted(device_ids, key=lambda device_id: hashlib.sha256(f"{seed} {device_id}".encode()).digest())


def _by_groups(rings: Sequence[Ring], candidate: Candidate) -> int | None:
    fitting = (number for number, ring in enumerate(rings) if candidate.groups.intersection(ring.groups))
    return next(fitting, None)


def _size(ring: Ring, devices: int) -> int:
    if ring.percent is not None:
        return max(1, round(devices * ring.percent / _WHOLE))
    return ring.count or 0
