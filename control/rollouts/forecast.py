"""What a rollout would come to, before anything moves: arithmetic over its devices and what is known of its app."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from control.rollouts.limits import Place
from control.rollouts.spec import ConcurrencyLimits, RolloutSpec
from control.rollouts.suitability import Unmet


@dataclass(frozen=True)
class ForecastDevice:
    """A device of a rollout that is tried out.

    Attributes:
        unmet: The requirement that it does not meet, so that it fetches nothing.
    """

    name: str
    ring: int
    place: Place
    online: bool
    unmet: Unmet | None = None


@dataclass(frozen=True)
class RingForecast:
    """What one ring would come to.

    Attributes:
        bytes: What its devices would fetch.
        seconds: With its soak; None where nothing is known of how long the app takes.
    """

    devices: tuple[ForecastDevice, ...]
    bytes: int
    seconds: float | None


def forecast(
    spec: RolloutSpec, devices: Sequence[ForecastDevice], *, bytes_each: int, durations: Sequence[float]
) -> tuple[RingForecast, ...]:
    """What each ring would come to.

    Args:
        spec: How it would go.
        devices: All its devices.
        bytes_each: What one device fetches.
        durations: Seconds that earlier attempts took; their median stands for each device.
    """
    each = median(durations) if durations else None
    rings = []
    for number, ring in enumerate(spec.rings):
        own = tuple(device for device in devices if device.ring == number)
        at_work = [device.place for device in own if device.unmet is None]
        took = 0.0 if not at_work else None if each is None else waves(at_work, spec.limits) * each
        seconds = None if took is None else took + (ring.soak_seconds if own else 0.0)
        rings.append(RingForecast(own, len(at_work) * bytes_each, seconds))
    return tuple(rings)


def waves(places: Sequence[Place], limits: ConcurrencyLimits) -> int:
    """How often the fullest of the limits must be used up until all have had their turn."""
    sizes = [len(places) / limits.rollout] if limits.rollout is not None else []
    groups = Counter(group for place in places for group in place.groups)
    sizes += [number / limits.groups[group] for group, number in groups.items() if group in limits.groups]
    for site, number in Counter(place.site or "" for place in places).items():
        limit = limits.sites.get(site, limits.each_site)
        sizes += [] if limit is None else [number / limit]
    return ceil(max(sizes, default=1)) if places else 0


def whole_time(rings: Sequence[RingForecast]) -> float | None:
    """Seconds for all rings, one after the other; None where one is not known."""
    known = [ring.seconds for ring in rings if ring.seconds is not None]
    return sum(known) if len(known) == len(rings) else None
