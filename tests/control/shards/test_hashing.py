"""Which shard a device belongs at."""

import subprocess
import sys
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.shards.hashing import FIRST_SHARD, shard_of

DEVICES = [str(UUID(int=number << 64 | number)) for number in range(6000)]
_names = st.from_regex(r"[a-z][a-z0-9-]{0,11}", fullmatch=True)
_shards = st.lists(_names, min_size=1, max_size=6, unique=True)
_devices = st.uuids().map(str)


@given(device=_devices, shards=_shards, added=_names)
def test_a_shard_that_is_added_takes_devices_and_moves_no_other(device: str, shards: list[str], added: str) -> None:
    before, after = shard_of(device, shards), shard_of(device, [*shards, added])
    assert after in {before, added}


@given(device=_devices, shards=_shards, removed=_names)
def test_a_shard_that_is_taken_away_leaves_only_its_own_devices(device: str, shards: list[str], removed: str) -> None:
    before, after = shard_of(device, {*shards, removed}), shard_of(device, {*shards} - {removed} or {removed})
    assert before in {removed, after}


@given(device=_devices, shards=_shards)
def test_the_order_of_the_shards_does_not_matter(device: str, shards: list[str]) -> None:
    assert shard_of(device, shards) == shard_of(device, reversed(shards))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_devices_are_spread_evenly_and_a_new_shard_gets_its_share(count: int) -> None:
    shards = [FIRST_SHARD, *(f"s{number}" for number in range(1, count))]
    at = [shard_of(device, shards) for device in DEVICES]
    assert all(at.count(shard) == pytest.approx(len(DEVICES) / count, rel=0.1) for shard in shards)
    moved = sum(shard_of(device, [*shards, "new"]) == "new" for device in DEVICES)
    assert moved == pytest.approx(len(DEVICES) / (count + 1), rel=0.1)


#: Changing these moves devices of every fleet that has several brokers.
GOLDEN = {
    "00000000-0000-4000-8000-000000000000": "two",
    "11111111-1111-4111-8111-111111111111": "first",
    "6f1d2c3b-4a59-4687-9876-5d4c3b2a1f0e": "three",
    "fedcba98-7654-4321-8fed-cba987654321": "two",
}


def test_the_places_of_devices_never_change() -> None:
    assert {device: shard_of(device, ["first", "two", "three"]) for device in GOLDEN} == GOLDEN


def test_another_process_with_another_seed_says_the_same() -> None:
    program = "import sys; from control.shards.hashing import shard_of; print(shard_of(sys.argv[1], ['a', 'b', 'c']))"
    device = DEVICES[17]
    said = {
        subprocess.run(
            [sys.executable, "-c", program, device], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert said == {f"{shard_of(device, ['a', 'b', 'c'])}\n".encode()}
