"""Each shard for itself: one that is down keeps no other one waiting."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from contract.errors import UnavailableError

_Place = TypeVar("_Place")


def at_each(places: Collection[_Place], step: Callable[[_Place], int]) -> int:
    """Do something at all places, side by side.

    Args:
        places: Shards, or ways from shard to shard.
        step: What is done at each.

    Returns:
        The sum of what the steps return.

    Raises:
        UnavailableError: One of them does not answer; all others were done.
    """
    if len(places) <= 1:
        return sum(map(step, places))
    with ThreadPoolExecutor(len(places), thread_name_prefix="shard") as threads:
        outcomes = list(threads.map(lambda place: _tried(step, place), places))
    failures = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    if failures:
        raise failures[0]
    return sum(outcome for outcome in outcomes if isinstance(outcome, int))


def _tried(step: Callable[[_Place], int], place: _Place) -> int | UnavailableError:
    try:
        return step(place)
    except UnavailableError as error:
        return error
