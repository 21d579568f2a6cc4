"""Relations in the life of real jobs: what is sent to a device when, and what its jobs are shown as meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from contract.envelopes import SignedEnvelope
from contract.jobs import JobRef, JobState
from contract.policy import Policy
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import POLICY_PATH
from control.catalog.assignments import unassign
from control.database.tables import App, Job
from control.planning.plan import LOOK_AGAIN_AFTER
from tests.control.plane import Plane, SignedDevice, failed_report_of, report_of, retry_at

ENFORCED = {
    Outcome.EVALUATED: EnforcementState.NOT_ATTEMPTED,
    Outcome.NOT_APPLICABLE: EnforcementState.REQUIREMENTS_NOT_MET,
}


@dataclass
class Desk:
    """A plane with one device in one group, and what was sent to the device and not answered."""

    plane: Plane
    device: SignedDevice
    waiting: dict[str, JobRef] = field(default_factory=dict)

    def app(self, name: str, intent: Intent | None = None, **relations: Any) -> None:
        self.plane.publish(name=name, **relations)
        if intent is not None:
            self.plane.assign("desks", intent, app=name)

    def sent(self) -> dict[str, Intent]:
        """What has been sent since it was asked last, by app."""
        new = {self.name_of(ref): ref for _, ref in self.plane.dispatch()}
        self.waiting |= new
        return {name: self.policy(name).intent for name in sorted(new)}

    def ends(self, name: str, outcome: Outcome) -> None:
        """The device's job for the app comes to an end; what follows is planned by what it reports."""
        state = ENFORCED.get(outcome, EnforcementState.SUCCESS)
        report = report_of(self.waiting.pop(name), self.device.device_id, outcome=outcome, enforcement_state=state)
        assert self.device.report(report).status_code == 200

    def fails(self, name: str) -> None:
        ref = self.waiting[name]
        again = retry_at(self.plane.clock.now(), ref)
        report = failed_report_of(ref, self.device.device_id, next_action=again)
        assert self.device.report(report).status_code == 200
        self.waiting[name] = ref.next_attempt()

    def policy(self, name: str) -> Policy:
        reply = self.device.request("GET", POLICY_PATH.format(job_id=self.waiting[name].job_id))
        return Policy.from_json(SignedEnvelope.from_json(reply.content).payload)

    def job(self, name: str) -> Job:
        with self.plane.services.database.snapshot() as session:
            newest = select(Job).join(App, App.id == Job.app_id).where(App.name == name)
            job = session.scalars(newest.order_by(Job.created_at.desc(), Job.generation.desc())).first()
        assert job is not None
        return job

    def shown(self, name: str) -> tuple[JobState, EnforcementState | None]:
        job = self.job(name)
        return job.state, job.enforcement_state

    def name_of(self, ref: JobRef) -> str:
        with self.plane.services.database.snapshot() as session:
            return session.get_one(App, session.get_one(Job, ref.job_id).app_id).name


@pytest.fixture
def plane(either_plane: Plane) -> Plane:
    """All of it on both databases."""
    return either_plane


@pytest.fixture
def desk(plane: Plane, enrolled: Callable[..., SignedDevice]) -> Desk:
    return Desk(plane, enrolled(group_id=plane.group("desks")))


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
