"""Plans lead from any state to any other, and then have nothing left to do."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.desired.canonical import State, state_of
from control.desired.documents import (
    AppDocument,
    AssignmentDocument,
    Document,
    FilterDocument,
    GroupDocument,
    RolloutDocument,
)
from control.desired.plan import Action, Change, plan_changes
from tests.control.plane import manifest_data

NAMES = ("a", "b", "c")
DIGEST = "0" * 64


def filter_(name: str, site: str = "x") -> FilterDocument:
    return FilterDocument(kind="Filter", name=name, rule=f'site -eq "{site}"')


def group(name: str, rule: str | None = None) -> GroupDocument:
    return GroupDocument(kind="Group", name=name, rule=rule)


def app(name: str, needs: tuple[str, ...] = (), digest: str = DIGEST) -> AppDocument:
    dependencies = [{"app": other} for other in needs]
    return AppDocument(kind="App", manifest=manifest_data(name=name, dependencies=dependencies), package=digest)


def assignment(app_name: str, group_name: str, **terms: Any) -> AssignmentDocument:
    return AssignmentDocument(kind="Assignment", app=app_name, group=group_name, **terms)


@st.composite
def states(draw: st.DrawFn) -> State:
    """Documents that refer to each other only."""
    documents: list[Document] = []
    some = st.lists(st.sampled_from(NAMES), unique=True)
    filters, groups, apps = draw(some), draw(some), draw(some)
    documents += [filter_(name, draw(st.sampled_from("xy"))) for name in filters]
    documents += [group(name, draw(st.sampled_from([None, 'site -eq "x"', 'site -eq "y"']))) for name in groups]
    # An app needs only apps before it, so there is no cycle.
    documents += [
        app(name, tuple(draw(st.lists(st.sampled_from(apps[:at]), unique=True)) if at else ()))
        for at, name in enumerate(apps)
    ]
    for one in apps:
        for other in groups:
            if draw(st.booleans()):
                used = draw(st.sampled_from([None, *filters]))
                documents.append(assignment(one, other, filter=used))
    return state_of(documents)


def carried_out(state: State, changes: tuple[Change, ...]) -> State:
    """The state after the changes; each must find what it needs and leave nothing in the air."""
    after = dict(state)
    for change in changes:
        assert (change.key in after) is (change.action is not Action.CREATE)
        if change.after is None:
            del after[change.key]
        else:
            after[change.key] = change.after
        plan_changes({}, after, prune=False)
    return after


@given(states(), states())
def test_pruned_the_state_becomes_the_wanted_one_but_for_apps(current: State, wanted: State) -> None:
    kept_apps = {key: one for key, one in current.items() if key[0] == "App"}
    after = carried_out(current, plan_changes(current, wanted, prune=True))
    assert after == {**kept_apps, **wanted}
    assert plan_changes(after, wanted, prune=True) == ()


@given(states(), states())
def test_without_pruning_nothing_goes(current: State, wanted: State) -> None:
    after = carried_out(current, plan_changes(current, wanted, prune=False))
    assert after == {**current, **wanted}
    assert plan_changes(after, wanted, prune=False) == ()


def test_apps_come_after_those_they_need() -> None:
    changes = plan_changes({}, state_of([app("a", ("b",)), app("b", ("c",)), app("c")]), prune=False)
    assert [change.key[1] for change in changes] == ["c", "b", "a"]


def test_apps_in_a_circle_are_refused_with_the_path() -> None:
    with pytest.raises(InputError) as caught:
        plan_changes({}, state_of([app("a", ("b",)), app("b", ("c",)), app("c", ("a",)), app("d")]), prune=False)
    assert caught.value.code is ErrorCode.RELATION_CYCLE
    first, *rest = caught.value.detail.split(" -> ")
    assert (caught.value.place, rest[-1]) == (f"App {first}", first)
    assert " -> ".join([first, *rest]) in "a -> b -> c -> a -> b -> c"


def test_spelling_is_no_change() -> None:
    current = state_of([filter_("a"), group("g"), app("e"), assignment("e", "g", filter="a")])
    said = FilterDocument(kind="Filter", name="a", rule='  SITE  -EQ   "x" ')
    explicit = assignment("e", "g", filter="a", filter_mode="include", intent="required", start=None)
    assert plan_changes(current, state_of([said, explicit]), prune=False) == ()


def test_the_assignments_of_a_manifest_are_documents_of_their_own() -> None:
    manifest = manifest_data(name="e", assignments=[{"group": "g", "intent": "available"}])
    inside = AppDocument(kind="App", manifest=manifest, package=DIGEST)
    assert state_of([inside, group("g")]) == state_of([app("e"), group("g"), assignment("e", "g", intent="available")])
    with pytest.raises(InputError) as caught:
        state_of([inside, assignment("e", "g")])
    assert (caught.value.place, caught.value.detail) == ("Assignment e on g", "is described twice")


def test_a_document_whose_reference_is_being_removed_is_refused() -> None:
    current = state_of([group("g"), app("e")])
    with pytest.raises(InputError) as caught:
        plan_changes(current, state_of([assignment("e", "g")]), prune=True)
    assert caught.value.code is ErrorCode.DESIRED_STATE_INVALID
    assert "Group g, which is not there or would be removed" in caught.value.detail


def test_a_rollout_stays_as_it_was_made() -> None:
    plain = RolloutDocument(kind="Rollout", name="r", app="e")
    other = plain.model_copy(update={"rollback_on_failure": True})
    current = state_of([app("e"), plain])
    assert plan_changes(current, state_of([plain]), prune=True) == ()
    with pytest.raises(InputError, match="a rollout stays as it was made"):
        plan_changes(current, state_of([other]), prune=False)
