"""The graph of relations: circles and sizes."""

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.catalog.relation_graph import (
    MAX_DEPENDENCY_NODES,
    MAX_SUPERSEDENCE_NODES,
    RelationGraph,
    below,
    cycle_through,
    require_sound,
)
from control.relation_mode import RelationMode

NEEDS = RelationMode.AUTO_INSTALL
UPDATES = RelationMode.UPDATE


def chain(length: int, mode: RelationMode) -> RelationGraph:
    """So many apps, each related to the next."""
    return {f"app {number:03}": {f"app {number + 1:03}": mode} for number in range(length - 1)}


def test_the_shortest_circle_is_named_from_the_app_that_changed() -> None:
    graph = {"a": {"b": NEEDS, "c": NEEDS}, "b": {"c": UPDATES}, "c": {"a": NEEDS}}
    assert cycle_through(graph, "a") == ("a", "c", "a")
    assert cycle_through(graph, "b") == ("b", "c", "a", "b")


def test_apps_that_meet_again_further_down_are_no_circle() -> None:
    assert cycle_through({"a": {"b": NEEDS, "c": NEEDS}, "b": {"d": NEEDS}, "c": {"d": NEEDS}}, "a") == ()


def test_a_circle_elsewhere_is_not_this_apps_business() -> None:
    graph = {"a": {"b": NEEDS}, "b": {"c": NEEDS}, "c": {"b": NEEDS}}
    assert cycle_through(graph, "a") == ()
    assert below(graph, "a") == {"b", "c"}


@pytest.mark.behaviour("2.9 graph limit")
@pytest.mark.parametrize(("mode", "limit"), [(NEEDS, MAX_DEPENDENCY_NODES), (UPDATES, MAX_SUPERSEDENCE_NODES)])
def test_as_many_apps_as_the_original_takes_and_no_more(mode: RelationMode, limit: int) -> None:
    require_sound(chain(limit, mode), "app 000")
    with pytest.raises(InputError) as caught:
        require_sound(chain(limit + 1, mode), "app 000")
    assert (caught.value.code, caught.value.place) == (ErrorCode.RELATION_LIMIT, "app 000")
    assert f"{limit + 1} apps" in caught.value.detail


def test_an_app_far_below_may_not_grow_beyond_what_those_above_it_can_hold() -> None:
    graph = chain(MAX_SUPERSEDENCE_NODES + 1, UPDATES)
    with pytest.raises(InputError) as caught:
        require_sound(graph, "app 009")
    assert caught.value.place == "app 000"


def test_dependencies_and_supersedence_are_counted_apart() -> None:
    superseding = {f"old {number}": UPDATES for number in range(MAX_SUPERSEDENCE_NODES - 1)}
    needed = {f"library {number}": NEEDS for number in range(MAX_DEPENDENCY_NODES - 1)}
    require_sound({"app": {**superseding, **needed}}, "app")
