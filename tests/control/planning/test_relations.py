"""Relations in the life of real jobs: what is sent to a device when, and what its jobs are shown as meanwhile."""

import pytest

from contract.jobs import JobState
from contract.states import EnforcementState, Intent, Outcome
from control.catalog.assignments import unassign
from control.planning.plan import LOOK_AGAIN_AFTER
from tests.control.planning.desk import Desk


@pytest.mark.behaviour("B-31", "2.9 dependency", "2.5 EnforcementState 2007")
def test_a_dependency_is_installed_before_the_app_that_needs_it(desk: Desk) -> None:
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=[{"app": "Runtime"}])
    desk.plane.plan()
    assert desk.sent() == {"Editor": Intent.REQUIRED}
    assert desk.policy("Editor").delivery.evaluate_only
    desk.ends("Editor", Outcome.EVALUATED)
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState.IN_PROGRESS_DEPENDENCY_INSTALLING)
    assert desk.job("Editor").next_action_detail == "Runtime, which it depends on, is installed first"
    assert desk.job("Editor").waits_for_app_id == desk.plane.app_id("Runtime")
    assert desk.sent() == {"Runtime": Intent.NOT_TARGETED}
    assert not desk.policy("Runtime").delivery.evaluate_only
    desk.ends("Runtime", Outcome.INSTALLED)
    assert desk.sent() == {"Editor": Intent.REQUIRED}
    assert not desk.policy("Editor").delivery.evaluate_only
    desk.ends("Editor", Outcome.INSTALLED)
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState.SUCCESS)
    desk.plane.plan()
    assert desk.sent() == {}


@pytest.mark.behaviour("2.9 dependency", "2.5 EnforcementState 6001", "2.5 EnforcementState 6003")
def test_an_app_says_what_became_of_the_one_it_needs(desk: Desk) -> None:
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=[{"app": "Runtime"}])
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", Outcome.EVALUATED)
    desk.sent()
    desk.fails("Runtime")
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_FAILURE)
    desk.ends("Runtime", Outcome.NOT_APPLICABLE)
    state = EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_REQUIREMENTS_NOT_MET
    assert desk.shown("Editor") == (JobState.HELD, state)
    assert desk.sent() == {}


@pytest.mark.behaviour("2.5 EnforcementState 1004")
def test_an_app_that_is_there_suffers_from_a_dependency_that_fails_and_recovers_with_it(desk: Desk) -> None:
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=[{"app": "Runtime"}])
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", Outcome.ALREADY_INSTALLED)
    desk.sent()
    desk.fails("Runtime")
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState.SUCCESS_BUT_DEPENDENCY_FAILED_TO_INSTALL)
    desk.ends("Runtime", Outcome.INSTALLED)
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState.SUCCESS)
    assert desk.sent() == {}


def test_an_app_that_is_not_for_the_device_brings_none_of_its_dependencies(desk: Desk) -> None:
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=[{"app": "Runtime"}])
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", Outcome.NOT_APPLICABLE)
    assert desk.sent() == {}
    assert desk.shown("Editor") == (JobState.FINISHED, EnforcementState.REQUIREMENTS_NOT_MET)


@pytest.mark.behaviour("2.9 detect-only child absent", "2.5 EnforcementState 6005", "2.5 EnforcementState 6004")
def test_a_dependency_that_is_only_looked_for_keeps_the_app_waiting_until_it_is_there(desk: Desk) -> None:
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=[{"app": "Runtime", "dependencyType": "detect"}])
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", Outcome.EVALUATED)
    assert desk.sent() == {"Runtime": Intent.NOT_TARGETED}
    assert desk.policy("Runtime").delivery.evaluate_only
    desk.ends("Runtime", Outcome.EVALUATED)
    state = EnforcementState.NOT_ATTEMPTED_DEPENDENCY_WITH_AUTO_INSTALL_OFF
    assert desk.shown("Editor") == (JobState.HELD, state)
    assert desk.shown("Runtime") == (JobState.FINISHED, EnforcementState.NOT_ATTEMPTED_AUTO_INSTALL_OFF)
    desk.device.stay_online(desk.plane.clock, LOOK_AGAIN_AFTER)
    assert desk.sent() == {"Runtime": Intent.NOT_TARGETED}
    desk.ends("Runtime", Outcome.ALREADY_INSTALLED)
    assert desk.sent() == {"Editor": Intent.REQUIRED}


@pytest.mark.behaviour(
    "2.9 supersedence", "2.5 EnforcementState 2010", "2.5 EnforcementState 6009", "2.5 EnforcementState 1016"
)
def test_what_an_app_replaces_is_uninstalled_first(desk: Desk) -> None:
    desk.app("Old Editor", Intent.REQUIRED)
    desk.plane.plan()
    desk.sent()
    desk.ends("Old Editor", Outcome.INSTALLED)
    replaces = [{"app": "Old Editor", "supersedenceType": "replace"}]
    desk.app("Editor", Intent.REQUIRED, supersedence=replaces)
    desk.plane.plan()
    assert desk.sent() == {"Editor": Intent.REQUIRED}
    desk.plane.clock.advance(LOOK_AGAIN_AFTER / 60)
    desk.ends("Editor", Outcome.EVALUATED)
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState.IN_PROGRESS_PENDING_UNINSTALL_OF_SUPERSEDED_APPS)
    assert desk.sent() == {"Old Editor": Intent.UNINSTALL}
    desk.fails("Old Editor")
    assert desk.shown("Editor") == (JobState.HELD, EnforcementState.NOT_ATTEMPTED_SUPERSEDED_APP_UNINSTALL_FAILED)
    desk.ends("Old Editor", Outcome.UNINSTALLED)
    assert desk.sent() == {"Editor": Intent.REQUIRED}
    desk.ends("Editor", Outcome.INSTALLED)
    desk.plane.plan()
    assert desk.sent() == {}
    assert desk.shown("Old Editor") == (JobState.FINISHED, EnforcementState.SUCCESS_APP_REMOVED_BY_SUPERSEDENCE)


@pytest.mark.behaviour("2.9 supersedence", "2.5 EnforcementState 1014")
def test_what_an_app_updates_is_left_in_place_and_not_installed_any_more(desk: Desk) -> None:
    desk.app("Old Editor", Intent.REQUIRED)
    desk.plane.plan()
    desk.sent()
    desk.ends("Old Editor", Outcome.INSTALLED)
    desk.app("Editor", Intent.REQUIRED, supersedence=[{"app": "Old Editor", "supersedenceType": "update"}])
    desk.app("Old Editor", displayVersion="2")
    desk.plane.plan()
    assert desk.sent() == {"Editor": Intent.REQUIRED}
    assert not desk.policy("Editor").delivery.evaluate_only
    desk.ends("Editor", Outcome.INSTALLED)
    desk.plane.plan()
    assert desk.sent() == {}
    assert desk.shown("Old Editor") == (JobState.FINISHED, EnforcementState.SUCCESS_SUPERSEDING_APPS_DETECTED)


@pytest.mark.behaviour("2.9 supersedence")
def test_a_superseding_app_that_is_not_for_the_device_takes_nobodys_place(desk: Desk) -> None:
    desk.app("Old Editor", Intent.REQUIRED)
    desk.app("Editor", Intent.REQUIRED, supersedence=[{"app": "Old Editor", "supersedenceType": "replace"}])
    desk.plane.plan()
    assert desk.sent() == {"Editor": Intent.REQUIRED}
    desk.ends("Editor", Outcome.NOT_APPLICABLE)
    desk.plane.plan()
    assert desk.sent() == {"Old Editor": Intent.REQUIRED}


def test_an_app_that_is_held_is_cancelled_at_once_when_nobody_wants_it_any_more(desk: Desk) -> None:
    desk.app("Runtime")
    desk.app("Editor", Intent.REQUIRED, dependencies=[{"app": "Runtime"}])
    desk.plane.plan()
    desk.sent()
    desk.ends("Editor", Outcome.EVALUATED)
    with desk.plane.services.database.transaction() as session:
        unassign(session, "Editor", "desks")
    desk.plane.plan()
    assert desk.job("Editor").state is JobState.CANCELLED
    assert desk.job("Runtime").state is JobState.CANCELLED
