"""People at devices ask for available apps: what a device is offered, hears and gets, on both databases."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select

from contract.available_apps import (
    MAX_AVAILABLE_APPS,
    AppRequest,
    AppRequestKind,
    AppRequestReply,
    AppStanding,
    AvailableApp,
    AvailableAppsReply,
)
from contract.envelopes import SignedEnvelope
from contract.jobs import JobRef, JobState
from contract.policy import Policy
from contract.queues import ControlTask
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import (
    APP_REQUESTS_PATH,
    AVAILABLE_APPS_PATH,
    GENERATION_REASON_HEADER,
    POLICY_PATH,
    GenerationReason,
    Problem,
)
from control.cancel_reasons import CancelReason
from control.catalog.assignments import unassign
from control.database.tables import AppRequestRow, AuditEntry, Job
from control.metrics import REFUSED
from tests.control.plane import Plane, SignedDevice, failed_report_of, report_of

INSTALL, UNINSTALL = AppRequestKind


@pytest.fixture
def offered(either_plane: Plane, make_client: Callable[[Plane], httpx.Client]) -> tuple[Plane, SignedDevice]:
    """A device that is offered one app."""
    plane = either_plane
    plane.publish(description="Edits text.")
    device = SignedDevice(make_client(plane), "desk-1")
    assert device.enroll(plane.token(group_id=plane.group("desks"))).status_code == 200
    plane.assign("desks", Intent.AVAILABLE)
    assert device.check_in().json()["jobs_sent"] == 0
    plane.queue.asked.clear()
    return plane, device


def listed(device: SignedDevice, query: str = "") -> tuple[AvailableApp, ...]:
    response = device.request("GET", AVAILABLE_APPS_PATH + query)
    assert response.status_code == 200, response.text
    return AvailableAppsReply.from_json(response.content).apps


def request(device: SignedDevice, kind: AppRequestKind = INSTALL, app: str = "Editor") -> httpx.Response:
    return device.request("POST", APP_REQUESTS_PATH, AppRequest(app=app, kind=kind).to_json().encode())


def asked(device: SignedDevice, kind: AppRequestKind = INSTALL, app: str = "Editor") -> AvailableApp:
    response = request(device, kind, app)
    assert response.status_code == 200, response.text
    return AppRequestReply.from_json(response.content).app


def sent(plane: Plane) -> JobRef:
    """The one job that is sent now."""
    ((_, ref),) = plane.dispatch()
    return ref


def policy_of(device: SignedDevice, ref: JobRef) -> tuple[Policy, str]:
    response = device.request("GET", POLICY_PATH.format(job_id=ref.job_id))
    policy = Policy.from_json(SignedEnvelope.from_json(response.content).payload)
    return policy, response.headers[GENERATION_REASON_HEADER]


def audited(plane: Plane) -> int:
    with plane.services.database.snapshot() as session:
        entries = select(func.count()).where(AuditEntry.action == "device.request-app")
        return session.scalar(entries) or 0


def refused(reason: str) -> float:
    return float(REFUSED.labels(side="device", reason=reason)._value.get())


def test_an_available_app_is_listed_and_nothing_happens_by_itself(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    (app,) = listed(device)
    assert (app.name, app.version, app.publisher, app.description) == ("Editor", "1.0", "Example", "Edits text.")
    assert (app.standing, app.requested, app.error_code) == (AppStanding.NOT_INSTALLED, None, "")
    plane.plan()
    assert plane.dispatch() == []


def test_what_is_asked_for_is_installed_and_uninstalled_again(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    app = asked(device)
    assert (app.standing, app.requested, app.requested_at) == (AppStanding.IN_PROGRESS, INSTALL, plane.clock.now())
    assert plane.queue.asked == [ControlTask.DISPATCH]
    ref = sent(plane)
    assert policy_of(device, ref)[0].intent is Intent.AVAILABLE
    device.report(report_of(ref, device.device_id))
    assert [one.standing for one in listed(device)] == [AppStanding.INSTALLED]
    assert asked(device, UNINSTALL).standing is AppStanding.IN_PROGRESS
    ref = sent(plane)
    assert policy_of(device, ref)[0].intent is Intent.UNINSTALL
    device.report(report_of(ref, device.device_id, outcome=Outcome.UNINSTALLED))
    assert [(one.standing, one.requested) for one in listed(device)] == [(AppStanding.NOT_INSTALLED, UNINSTALL)]


def test_asking_twice_changes_nothing_and_is_audited_once(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    first = asked(device)
    assert asked(device) == first
    assert asked(device, app=first.app_id) == first
    assert asked(device, app="eDITOR") == first
    ref = sent(plane)
    assert asked(device).standing is AppStanding.IN_PROGRESS
    device.report(report_of(ref, device.device_id))
    assert asked(device).standing is AppStanding.INSTALLED
    assert plane.dispatch() == []
    assert (audited(plane), plane.queue.asked) == (1, [ControlTask.DISPATCH])


@pytest.mark.behaviour("2.6 GRS")
def test_what_failed_for_good_is_tried_at_once_when_it_is_asked_for_anew(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    asked(device)
    ref = sent(plane)
    device.report(failed_report_of(ref, device.device_id, next_action=None))
    (app,) = listed(device)
    assert (app.standing, app.error_code, app.detail) == (AppStanding.FAILED, "installer-failed", "exit code 7")
    plane.plan()
    assert plane.dispatch() == []
    assert asked(device).standing is AppStanding.IN_PROGRESS
    again = sent(plane)
    assert (again.job_id, again.generation) == (ref.job_id, 2)
    assert policy_of(device, again)[1] == GenerationReason.REQUEST
    assert audited(plane) == 2
    device.report(report_of(again, device.device_id))
    assert [one.standing for one in listed(device)] == [AppStanding.INSTALLED]


@pytest.mark.behaviour("2.6 GRS")
def test_what_it_depends_on_and_has_failed_is_tried_at_once_as_well(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    plane.publish(name="Runtime")
    plane.publish(name="Studio", dependencies=[{"app": "Runtime"}])
    plane.assign("desks", Intent.AVAILABLE, app="Studio")
    asked(device, app="Studio")
    looked = report_of(
        sent(plane), device.device_id, outcome=Outcome.EVALUATED, enforcement_state=EnforcementState.NOT_ATTEMPTED
    )
    device.report(looked)
    runtime = sent(plane)
    device.report(failed_report_of(runtime, device.device_id, next_action=None))
    (app,) = listed(device, "?app=Studio")
    assert app.standing is AppStanding.FAILED
    assert "Runtime" in app.detail
    assert asked(device, app="Studio").standing is AppStanding.IN_PROGRESS
    again = sent(plane)
    assert (again.job_id, again.generation) == (runtime.job_id, 2)
    assert policy_of(device, again)[1] == GenerationReason.REQUEST


def test_a_withdrawn_app_is_not_uninstalled_and_the_request_does_not_come_back(
    offered: tuple[Plane, SignedDevice],
) -> None:
    plane, device = offered
    asked(device)
    device.report(report_of(sent(plane), device.device_id))
    with plane.services.database.transaction() as session:
        unassign(session, "Editor", "desks")
    plane.plan()
    assert (plane.dispatch(), listed(device)) == ([], ())
    plane.assign("desks", Intent.AVAILABLE)
    plane.publish()
    plane.plan()
    assert plane.dispatch() == []
    assert [one.requested for one in listed(device)] == [None]


def test_an_operators_cancellation_stands(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    asked(device)
    with plane.services.database.transaction() as session:
        job = session.scalars(select(Job)).one()
        job.state, job.cancel_reason = JobState.CANCELLED, CancelReason.OPERATOR
    assert asked(device).standing is AppStanding.CANCELLED
    assert plane.dispatch() == []


def test_a_long_list_comes_in_parts(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    for number in range(MAX_AVAILABLE_APPS + 1):
        plane.publish(name=f"App {number:03}")
        plane.assign("desks", Intent.AVAILABLE, app=f"App {number:03}")
    first = AvailableAppsReply.from_json(device.request("GET", AVAILABLE_APPS_PATH).content)
    assert (len(first.apps), first.next_after) == (MAX_AVAILABLE_APPS, "App 099")
    rest = AvailableAppsReply.from_json(device.request("GET", f"{AVAILABLE_APPS_PATH}?after=App%20099").content)
    assert ([one.name for one in rest.apps], rest.next_after) == (["App 100", "Editor"], None)


@pytest.mark.parametrize("name", ["Editor", "Nothing", "'; DROP TABLE app_requests;--", "\0", "../../etc", "Ä" * 200])
@pytest.mark.parametrize("kind", AppRequestKind)
def test_asking_for_what_is_not_offered_is_refused_and_counted_and_tells_nothing(
    plane: Plane, enrolled: Callable[..., SignedDevice], name: str, kind: AppRequestKind
) -> None:
    plane.publish()
    theirs = enrolled("theirs", plane.group("labs"))
    plane.assign("labs", Intent.AVAILABLE)
    assert [one.name for one in listed(theirs)] == ["Editor"]
    mine = enrolled("mine", plane.group("desks"))
    before = refused("app-not-available")
    answer = request(mine, kind, name)
    problem = Problem.model_validate_json(answer.content)
    assert (answer.status_code, problem.code, problem.place) == (404, "app-not-available", name)
    assert refused("app-not-available") == before + 1
    assert listed(mine) == ()
    with plane.services.database.snapshot() as session:
        assert session.scalars(select(AppRequestRow)).all() == []
    assert (plane.dispatch(), audited(plane)) == ([], 0)


def test_a_required_app_is_not_offered_and_cannot_be_removed_by_asking(
    plane: Plane, enrolled: Callable[..., SignedDevice]
) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks", Intent.REQUIRED)
    assert listed(device) == ()
    assert Problem.model_validate_json(request(device, UNINSTALL).content).code == "app-not-available"


def test_what_nobody_asked_for_is_not_uninstalled_by_asking(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    before = refused("app-not-requested")
    answer = request(device, UNINSTALL)
    assert (answer.status_code, Problem.model_validate_json(answer.content).code) == (404, "app-not-requested")
    assert refused("app-not-requested") == before + 1
    assert plane.dispatch() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"app": "", "kind": "install"}', b'{"app": "Editor", "kind": "format-disk"}', b"[" * 5000],
)
def test_a_request_that_is_none_is_refused_and_changes_nothing(
    offered: tuple[Plane, SignedDevice], body: bytes
) -> None:
    plane, device = offered
    before = refused("document-invalid")
    assert device.request("POST", APP_REQUESTS_PATH, body).status_code == 422
    assert refused("document-invalid") == before + 1
    with plane.services.database.snapshot() as session:
        assert session.scalars(select(AppRequestRow)).all() == []


def test_what_one_device_asks_for_reaches_no_other(offered: tuple[Plane, SignedDevice]) -> None:
    plane, device = offered
    other = SignedDevice(device.client, "desk-2")
    assert other.enroll(plane.token()).status_code == 200
    asked(device)
    assert [device_id for device_id, _ in plane.dispatch()] == [device.device_id]
    # Only the signature says whose request it is: an id in the body is no more than an unknown field.
    forged = f'{{"app": "Editor", "kind": "uninstall", "device_id": "{device.device_id}"}}'.encode()
    assert other.request("POST", APP_REQUESTS_PATH, forged).status_code == 404
    with plane.services.database.snapshot() as session:
        rows = [(row.device_id, row.kind) for row in session.scalars(select(AppRequestRow))]
    assert rows == [(device.device_id, INSTALL)]


@pytest.mark.parametrize(("method", "path"), [("GET", AVAILABLE_APPS_PATH), ("POST", APP_REQUESTS_PATH)])
def test_without_a_signature_nothing_is_told_or_done(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, path).status_code == 401


def test_a_device_that_asks_too_often_is_told_to_wait(plane: Plane, enrolled: Callable[..., SignedDevice]) -> None:
    device = enrolled()
    answers = [request(device) for _ in range(int(plane.services.settings.device_request_burst) + 2)]
    assert answers[-1].status_code == 429
    assert {answer.status_code for answer in answers[:-1]} <= {404, 429}
