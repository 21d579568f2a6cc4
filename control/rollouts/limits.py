"""How many devices may be at work at once: a pure function over who is at work and who waits."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from control.rollouts.spec import ConcurrencyLimits


@dataclass(frozen=True)
class Place:
    """Where a device belongs.

    Attributes:
        site: None where it has none.
        groups: The names of the groups it is in; those without a limit need not be here.
    """

    device_id: str
    site: str | None = None
    groups: frozenset[str] = frozenset()


class Scope(StrEnum):
    """What a limit is for."""

    ROLLOUT = "rollout"
    GROUP = "group"
    SITE = "site"


_Slot = tuple[Scope, str]


def admissible(waiting: Sequence[Place], at_work: Iterable[Place], limits: ConcurrencyLimits) -> tuple[str, ...]:
    """The ids of the devices that may begin now, in the order given: no limit is exceeded with them.

    Args:
        waiting: Devices that could begin, the most urgent first.
        at_work: Devices that have begun and have no result yet.
        limits: How many may.
    """
    taken: Counter[_Slot] = Counter()
    for place in at_work:
        taken.update(slot for slot, _ in _slots(place, limits))
    admitted = []
    for place in waiting:
        slots = tuple(_slots(place, limits))
        if all(taken[slot] < limit for slot, limit in slots):
            taken.update(slot for slot, _ in slots)
            admitted.append(place.device_id)
    return tuple(admitted)


def _slots(place: Place, limits: ConcurrencyLimits) -> Iterator[tuple[_Slot, int]]:
    """What the device would take up, each with how many there are of it."""
    if limits.rollout is not None:
        yield (Scope.ROLLOUT, ""), limits.rollout
    for group in place.groups:
        if group in limits.groups:
            yield (Scope.GROUP, group), limits.groups[group]
    site = place.site or ""
    limit = limits.sites.get(site, limits.each_site)
    if limit is not None:
        yield (Scope.SITE, site), limit
