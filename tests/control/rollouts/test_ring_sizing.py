"""Each device is in exactly one ring, and rings are as large as they say."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.rollouts.ring_sizing import Candidate, ring_of_late_joiner, shuffled, split
from control.rollouts.spec import Ring, RolloutSpec

GROUPS = ("pilot", "lab", "hq")


def _ring(number: int, size: tuple[str, int | str]) -> dict[str, object]:
    kind, value = size
    return {"name": f"ring {number}", kind: (value,) if kind == "groups" else value}


_SIZES = st.one_of(
    st.tuples(st.just("percent"), st.integers(1, 24)),
    st.tuples(st.just("count"), st.integers(1, 60)),
    st.tuples(st.just("groups"), st.sampled_from(GROUPS)),
)
SPECS = st.lists(_SIZES, max_size=4).map(
    lambda sizes: RolloutSpec.model_validate(
        {"rings": [*(_ring(number, size) for number, size in enumerate(sizes)), {"name": "rest"}]}
    )
)
CANDIDATES = st.integers(0, 150).flatmap(
    lambda number: st.lists(st.frozensets(st.sampled_from(GROUPS)), min_size=number, max_size=number).map(
        lambda groups: tuple(Candidate(f"device-{index}", own) for index, own in enumerate(groups))
    )
)


@given(SPECS, CANDIDATES)
def test_each_device_is_in_exactly_one_ring(spec: RolloutSpec, candidates: tuple[Candidate, ...]) -> None:
    rings = split(spec.rings, candidates, "seed")
    assert set(rings) == {candidate.device_id for candidate in candidates}
    assert set(rings.values()) <= set(range(len(spec.rings)))


@given(SPECS, CANDIDATES)
def test_no_ring_is_larger_than_it_says(spec: RolloutSpec, candidates: tuple[Candidate, ...]) -> None:
    sizes = Counter(split(spec.rings, candidates, "seed").values())
    for number, ring in enumerate(spec.rings[:-1]):
        if ring.count is not None:
            assert sizes[number] <= ring.count
        if ring.percent is not None:
            assert sizes[number] <= max(1, round(len(candidates) * ring.percent / 100))


@given(SPECS, CANDIDATES, st.text())
def test_the_same_devices_are_dealt_out_the_same_in_whatever_order_they_come(
    spec: RolloutSpec, candidates: tuple[Candidate, ...], seed: str
) -> None:
    assert split(spec.rings, candidates, seed) == split(spec.rings, candidates[::-1], seed)


@given(SPECS, CANDIDATES)
def test_who_is_in_the_group_of_a_ring_is_in_the_first_such_ring(
    spec: RolloutSpec, candidates: tuple[Candidate, ...]
) -> None:
    rings = split(spec.rings, candidates, "seed")
    for candidate in candidates:
        own = [number for number, ring in enumerate(spec.rings) if candidate.groups & set(ring.groups)]
        if own:
            assert rings[candidate.device_id] == own[0] == ring_of_late_joiner(spec.rings, candidate)
        else:
            assert ring_of_late_joiner(spec.rings, candidate) == len(spec.rings) - 1
            assert not spec.rings[rings[candidate.device_id]].groups


@given(st.lists(st.integers(1, 99), min_size=1, max_size=5), st.integers(0, 500))
def test_shares_that_add_up_to_all_leave_nobody_out(shares: list[int], devices: int) -> None:
    total = sum(shares)
    percents = [share * 90 / total for share in shares]
    rings = (*(Ring(name=str(number), percent=share) for number, share in enumerate(percents)), Ring(name="rest"))
    sizes = Counter(split(rings, [Candidate(str(number)) for number in range(devices)], "seed").values())
    assert sum(sizes.values()) == devices


@pytest.mark.parametrize(
    ("devices", "expected"), [(1, [1, 0, 0]), (2, [1, 1, 0]), (10, [1, 4, 5]), (1000, [100, 400, 500])]
)
def test_a_share_is_at_least_one_device_where_any_is_left(devices: int, expected: list[int]) -> None:
    rings = (Ring(name="a", percent=10), Ring(name="b", percent=40), Ring(name="c"))
    sizes = Counter(split(rings, [Candidate(str(number)) for number in range(devices)], "seed").values())
    assert [sizes[number] for number in range(3)] == expected


def test_another_rollout_begins_with_other_devices() -> None:
    devices = [str(number) for number in range(100)]
    assert shuffled(devices, "one") != shuffled(devices, "other")
    assert sorted(shuffled(devices, "one")) == sorted(devices)
