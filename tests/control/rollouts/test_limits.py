"""Limits are never exceeded, and nothing is kept waiting that fits."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from control.rollouts.limits import Place, admissible
from control.rollouts.spec import ConcurrencyLimits

GROUPS = ("desks", "lab")
SITES = ("berlin", "lima")

LIMITS = st.builds(
    ConcurrencyLimits,
    rollout=st.none() | st.integers(1, 20),
    groups=st.dictionaries(st.sampled_from(GROUPS), st.integers(1, 10)),
    sites=st.dictionaries(st.sampled_from(SITES), st.integers(1, 10)),
    each_site=st.none() | st.integers(1, 10),
)


@st.composite
def places(draw: st.DrawFn, prefix: str) -> tuple[Place, ...]:
    parts = draw(
        st.lists(
            st.tuples(st.none() | st.sampled_from((*SITES, "oslo")), st.frozensets(st.sampled_from(GROUPS))),
            max_size=40,
        )
    )
    return tuple(Place(f"{prefix}-{number}", site, groups) for number, (site, groups) in enumerate(parts))


def _exceeded(at_work: Iterable[Place], limits: ConcurrencyLimits) -> list[str]:
    found = list(at_work)
    sites, groups = (
        Counter(place.site or "" for place in found),
        Counter(one for place in found for one in place.groups),
    )
    exceeded = [f"group {name}" for name, limit in limits.groups.items() if groups[name] > limit]
    exceeded += [
        f"site {name}"
        for name, number in sites.items()
        if (limit := limits.sites.get(name, limits.each_site)) is not None and number > limit
    ]
    return exceeded + (["rollout"] if limits.rollout is not None and len(found) > limits.rollout else [])


@given(places("new"), LIMITS)
def test_no_limit_is_ever_exceeded(waiting: tuple[Place, ...], limits: ConcurrencyLimits) -> None:
    admitted = set(admissible(waiting, (), limits))
    assert _exceeded((place for place in waiting if place.device_id in admitted), limits) == []


@given(places("new"), places("old"), LIMITS)
def test_what_is_at_work_already_takes_up_its_place(
    waiting: tuple[Place, ...], at_work: tuple[Place, ...], limits: ConcurrencyLimits
) -> None:
    admitted = set(admissible(waiting, at_work, limits))
    before = _exceeded(at_work, limits)
    # Devices that come back may be too many; nothing makes them more.
    now = _exceeded((*at_work, *(place for place in waiting if place.device_id in admitted)), limits)
    assert now == before


@given(places("new"), places("old"), LIMITS)
def test_who_is_kept_waiting_does_not_fit(
    waiting: tuple[Place, ...], at_work: tuple[Place, ...], limits: ConcurrencyLimits
) -> None:
    admitted = set(admissible(waiting, at_work, limits))
    begun = [*at_work, *(place for place in waiting if place.device_id in admitted)]
    for place in waiting:
        if place.device_id not in admitted:
            assert _exceeded([*begun, place], limits)


@given(places("new"))
def test_without_limits_everybody_begins(waiting: tuple[Place, ...]) -> None:
    assert admissible(waiting, (), ConcurrencyLimits()) == tuple(place.device_id for place in waiting)


def test_a_full_site_does_not_keep_others_waiting() -> None:
    waiting = [Place("a", "berlin"), Place("b", "berlin"), Place("c", "lima")]
    assert admissible(waiting, [], ConcurrencyLimits(each_site=1)) == ("a", "c")


def test_devices_without_a_site_share_one_limit() -> None:
    assert admissible([Place("a"), Place("b")], [], ConcurrencyLimits(each_site=1)) == ("a",)


def test_a_sites_own_limit_stands_above_the_one_for_each() -> None:
    limits = ConcurrencyLimits(each_site=1, sites={"berlin": 2})
    assert admissible([Place(name, "berlin") for name in "abc"], [], limits) == ("a", "b")
