"""The one table of states: every row, and the docstring that shows it."""

from itertools import product

import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.rollouts import states
from control.rollouts.states import (
    ACTIVE_STATES,
    TRANSITIONS,
    OperatorAction,
    RolloutAction,
    RolloutState,
    after,
    possible_actions,
)

OVER = frozenset(RolloutState) - frozenset(ACTIVE_STATES)


def _shown() -> dict[tuple[RolloutState, RolloutAction], RolloutState]:
    """The table in the module's docstring; the last rows are read as they say."""
    lines = [line for line in (states.__doc__ or "").splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    actions = [RolloutAction(word.replace(" ", "")) for word in head[1:]]
    found = {}
    for name, *cells in rows:
        if "," in name:
            continue
        state = RolloutState(name.replace(" ", "-"))
        for action, cell in zip(actions, cells, strict=True):
            if cell:
                found[state, action] = state if cell == "=" else RolloutState(cell.replace(" ", "-"))
    return found


def test_the_docstring_shows_the_table() -> None:
    under_way = {key: following for key, following in TRANSITIONS.items() if key[0] in ACTIVE_STATES}
    assert _shown() == under_way


@pytest.mark.parametrize(("state", "action"), list(product(RolloutState, RolloutAction)))
def test_what_the_table_does_not_know_is_refused_with_what_is_possible(
    state: RolloutState, action: RolloutAction
) -> None:
    if (state, action) in TRANSITIONS:
        assert after(state, action) is TRANSITIONS[state, action]
        return
    with pytest.raises(InputError) as refused:
        after(state, action, name="Editor r2")
    assert refused.value.code is ErrorCode.ROLLOUT_STATE_WRONG
    assert refused.value.place == "Editor r2"
    assert f"it is {state}" in refused.value.detail


@pytest.mark.parametrize(("state", "action"), list(TRANSITIONS))
def test_doing_the_same_again_changes_nothing(state: RolloutState, action: RolloutAction) -> None:
    following = after(state, action)
    if following in ACTIVE_STATES or (following, action) in TRANSITIONS:
        assert after(following, action) is following


@pytest.mark.parametrize("state", OVER)
def test_what_is_over_stays_so(state: RolloutState) -> None:
    assert possible_actions(state) == ()
    assert {following for (before, _), following in TRANSITIONS.items() if before is state} <= {state}


@pytest.mark.parametrize("state", ACTIVE_STATES)
def test_from_everywhere_it_can_be_brought_to_an_end(state: RolloutState) -> None:
    reached, edge = {state}, {state}
    while edge:
        edge = {following for (before, _), following in TRANSITIONS.items() if before in edge} - reached
        reached |= edge
    assert reached & OVER


def test_what_an_operator_can_do_is_among_all_that_can_be_done() -> None:
    assert {one.action for one in OperatorAction} == set(RolloutAction) - {RolloutAction.FINISH, RolloutAction.SETTLE}
