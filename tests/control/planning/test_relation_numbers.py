"""The numbers that relations give to apps, each in the circumstance that it is for (behaviour 2.5)."""

from collections.abc import Callable

import pytest

from contract.jobs import JobState
from contract.states import EnforcementState, Intent, Outcome
from tests.control.planning.desk import Desk

NEEDS = [{"app": "Runtime"}]
LOOKS_FOR = [{"app": "Runtime", "dependencyType": "detect"}]
REPLACES = [{"app": "Old", "supersedenceType": "replace"}]


def not_for_the_device(desk: Desk) -> None:
    desk.ends("Runtime", Outcome.NOT_APPLICABLE)


def waits_for_a_restart(desk: Desk) -> None:
    desk.awaits_a_restart("Runtime")


def needing(desk: Desk, looked: Outcome, dependencies: list[dict[str, str]]) -> None:
    """An app whose device has looked, so that it is the turn of the one it needs."""
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=dependencies)
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", looked)
    assert list(desk.sent()) == ["Runtime"]


def replacing(desk: Desk, looked: Outcome) -> None:
    """An app whose device has looked, so that it is the turn of the one that it replaces."""
    desk.app("Old")
    desk.app("Editor", Intent.REQUIRED, supersedence=REPLACES)
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", looked)
    assert desk.sent() == {"Old": Intent.UNINSTALL}


@pytest.mark.parametrize(
    ("dependencies", "happens", "number"),
    [
        pytest.param(NEEDS, not_for_the_device, 1005, marks=pytest.mark.behaviour("2.5 EnforcementState 1005")),
        pytest.param(NEEDS, waits_for_a_restart, 1006, marks=pytest.mark.behaviour("2.5 EnforcementState 1006")),
        pytest.param(
            LOOKS_FOR,
            lambda desk: desk.ends("Runtime", Outcome.EVALUATED),
            1007,
            marks=pytest.mark.behaviour("2.5 EnforcementState 1007"),
        ),
    ],
)
def test_an_app_that_is_there_says_what_is_wrong_with_the_one_it_needs(
    desk: Desk, dependencies: list[dict[str, str]], happens: Callable[[Desk], None], number: int
) -> None:
    needing(desk, Outcome.ALREADY_INSTALLED, dependencies)
    happens(desk)
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState(number))
    assert desk.sent() == {}


@pytest.mark.behaviour("2.5 EnforcementState 6002")
def test_an_app_waits_until_the_device_has_restarted_for_the_one_it_needs(desk: Desk) -> None:
    needing(desk, Outcome.EVALUATED, NEEDS)
    desk.awaits_a_restart("Runtime")
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState.NOT_ATTEMPTED_PENDING_REBOOT)
    desk.ends("Runtime", Outcome.INSTALLED)
    assert list(desk.sent()) == ["Editor"]


@pytest.mark.behaviour("2.5 EnforcementState 1018", "2.5 EnforcementState 1012", "2.5 EnforcementState 1013")
def test_an_app_that_is_there_says_how_far_the_removal_of_the_old_one_is(desk: Desk) -> None:
    replacing(desk, Outcome.ALREADY_INSTALLED)
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState(1018))
    desk.awaits_a_restart("Old")
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState(1013))
    desk.fails("Old")
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState(1012))
    desk.ends("Old", Outcome.UNINSTALLED)
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState.SUCCESS)


@pytest.mark.behaviour("2.5 EnforcementState 6010")
def test_an_app_waits_until_the_device_has_restarted_for_the_one_it_replaces(desk: Desk) -> None:
    replacing(desk, Outcome.EVALUATED)
    desk.awaits_a_restart("Old")
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState(6010))


@pytest.mark.behaviour("2.5 EnforcementState 6013")
def test_an_app_that_may_not_be_removed_here_keeps_the_one_that_replaces_it_away(desk: Desk) -> None:
    desk.app("Old")
    desk.app("Editor", Intent.REQUIRED, supersedence=REPLACES)
    desk.exclude("Old")
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", Outcome.EVALUATED)
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState(6013))
    assert desk.sent() == {}


@pytest.mark.behaviour("2.5 EnforcementState 5006")
def test_an_app_that_needs_one_whose_place_another_takes_is_in_conflict(desk: Desk) -> None:
    desk.app("Old")
    desk.app("Plugin", Intent.REQUIRED, dependencies=[{"app": "Old"}])
    desk.app("Editor", Intent.REQUIRED, supersedence=REPLACES)
    desk.plane.plan()
    desk.sent()
    desk.ends("Plugin", Outcome.EVALUATED)
    assert desk.shown("Plugin") == (JobState.HELD, EnforcementState(5006))
