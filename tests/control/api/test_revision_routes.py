"""Which revision is deployed: pinned, rolled forward, rolled back, by API and command line."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from contract.jobs import JobRef
from contract.queues import ControlTask
from contract.states import Outcome
from control.database.tables import AuditEntry, Job, Role
from control.work import advance_now
from tests.control.plane import Plane, SignedDevice, manifest_data, report_of


@pytest.fixture
def admin(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


@pytest.fixture
def desk(plane: Plane, enrolled: Callable[..., SignedDevice]) -> SignedDevice:
    """Three revisions, and a device that has installed the first two and is to get the third."""
    plane.publish(displayVersion="1")
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    for version in ("2", "3"):
        device.report(report_of(sent(plane), device.device_id, outcome=Outcome.INSTALLED))
        plane.clock.advance(timedelta(seconds=1))
        plane.publish(displayVersion=version)
    return device


def sent(plane: Plane) -> JobRef:
    plane.plan()
    ((_, ref),) = plane.dispatch()
    return ref


def revision_of(plane: Plane, ref: JobRef) -> int:
    with plane.services.database.snapshot() as session:
        return session.get_one(Job, ref.job_id).revision


def deployment(deployed: int, *, pinned: bool) -> dict[str, Any]:
    return {"deployed": deployed, "pinned": pinned}


def said(reply: httpx.Response) -> dict[str, Any]:
    assert reply.is_success, reply.text
    return {name: reply.json()[name] for name in ("deployed", "pinned")}


def test_a_pinned_revision_is_deployed_instead_of_the_newest_until_it_is_unpinned(
    plane: Plane, admin: httpx.Client, desk: SignedDevice
) -> None:
    assert said(admin.put("/v1/apps/Editor/pin", json={"revision": 2})) == deployment(2, pinned=True)
    plane.plan()
    assert plane.dispatch() == []
    assert said(admin.delete("/v1/apps/Editor/pin")) == deployment(3, pinned=False)
    assert revision_of(plane, sent(plane)) == 3


def test_a_pin_below_what_a_device_has_had_leaves_the_device_alone(
    plane: Plane, admin: httpx.Client, desk: SignedDevice
) -> None:
    admin.put("/v1/apps/Editor/pin", json={"revision": 1})
    plane.plan()
    assert plane.dispatch() == []


def test_rolling_back_brings_an_older_revision_to_the_device_under_a_new_number(
    plane: Plane, admin: httpx.Client, desk: SignedDevice
) -> None:
    desk.report(report_of(sent(plane), desk.device_id, outcome=Outcome.INSTALLED))
    reply = admin.post("/v1/apps/Editor/rollback", json={})
    assert (reply.status_code, said(reply)) == (201, deployment(4, pinned=False))
    assert revision_of(plane, sent(plane)) == 4
    views = admin.get("/v1/apps/Editor/revisions").json()["items"]
    assert [(view["number"], view["display_version"], view["copied_from"]) for view in views] == [
        (1, "1", None),
        (2, "2", None),
        (3, "3", None),
        (4, "2", 2),
    ]
    assert [(view["is_deployed"], view["under_way"]) for view in views][2:] == [(False, 0), (True, 1)]


def test_rolling_back_ends_a_pin(plane: Plane, admin: httpx.Client, desk: SignedDevice) -> None:
    admin.put("/v1/apps/Editor/pin", json={"revision": 3})
    assert said(admin.post("/v1/apps/Editor/rollback", json={"revision": 1})) == deployment(4, pinned=False)


def test_revisions_say_on_how_many_devices_they_are(plane: Plane, admin: httpx.Client, desk: SignedDevice) -> None:
    views = admin.get("/v1/apps/Editor/revisions", params={"limit": 2}).json()
    assert [(view["installed"], view["under_way"]) for view in views["items"]] == [(0, 0), (1, 0)]
    (last,) = admin.get("/v1/apps/Editor/revisions", params={"cursor": views["next_cursor"]}).json()["items"]
    assert last["number"] == 3


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/v1/apps/Editor/pin", {"revision": 9}, 404, "unknown-revision"),
        ("PUT", "/v1/apps/Editor/pin", {"revision": 0}, 422, "document-invalid"),
        ("PUT", "/v1/apps/Editor/pin", {}, 422, "document-invalid"),
        ("PUT", "/v1/apps/Nothing/pin", {"revision": 1}, 404, "unknown-app"),
        ("DELETE", "/v1/apps/Nothing/pin", None, 404, "unknown-app"),
        ("POST", "/v1/apps/Editor/rollback", {"revision": 9}, 404, "unknown-revision"),
        ("GET", "/v1/apps/Nothing/revisions", None, 404, "unknown-app"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    plane: Plane, admin: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    plane.publish()
    reply = admin.request(method, path, json=body)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert said(admin.get("/v1/apps/Editor/pin")) == deployment(1, pinned=False)
    assert plane.queue.asked == []


def test_there_is_nothing_before_the_first_revision_to_roll_back_to(plane: Plane, admin: httpx.Client) -> None:
    plane.publish()
    assert admin.post("/v1/apps/Editor/rollback", json={}).json()["code"] == "unknown-revision"


def test_a_pin_that_would_close_a_circle_is_refused(plane: Plane, admin: httpx.Client) -> None:
    plane.publish(name="B")
    plane.publish(name="A", dependencies=[{"app": "B"}])
    plane.publish(name="A")
    plane.publish(name="B", dependencies=[{"app": "A"}])
    reply = admin.put("/v1/apps/A/pin", json={"revision": 1})
    assert (reply.status_code, reply.json()["code"], reply.json()["detail"]) == (422, "relation-cycle", "A -> B -> A")
    assert said(admin.get("/v1/apps/A/pin")) == deployment(2, pinned=False)


def test_a_pin_made_on_an_old_view_is_refused(plane: Plane, admin: httpx.Client) -> None:
    plane.publish()
    seen = admin.get("/v1/apps/Editor/pin").headers["etag"]
    plane.publish(displayVersion="2")
    headers = {"If-Match": seen}
    assert admin.put("/v1/apps/Editor/pin", json={"revision": 1}, headers=headers).status_code == 412
    assert said(admin.get("/v1/apps/Editor/pin")) == deployment(2, pinned=False)


def test_only_operators_pin_and_it_is_audited(
    plane: Plane, client: httpx.Client, operator: Callable[[Role], dict[str, str]]
) -> None:
    plane.publish()
    for role, status in ((Role.VIEWER, 403), (Role.OPERATOR, 200)):
        reply = client.put("/v1/apps/Editor/pin", json={"revision": 1}, headers=operator(role))
        assert reply.status_code == status
    with plane.services.database.snapshot() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "app.pin"))
    assert ('"pinned":false' in entry.before.replace(" ", ""), '"pinned":true' in entry.after.replace(" ", "")) == (
        True,
        True,
    )
    assert plane.queue.asked == [ControlTask.PLAN]


def publish(plane: Plane, admin: httpx.Client, version: str, *, hold: bool) -> dict[str, Any]:
    package = plane.services.packages.take(plane.package).digest
    body = {"manifest": manifest_data(displayVersion=version), "package": package, "hold": hold}
    reply = admin.post("/v1/apps", json=body)
    assert reply.is_success, reply.text
    return {name: reply.json()[name] for name in ("revision", "created", "deployed")}


def test_a_held_revision_reaches_nobody_until_a_rollout_brings_it(
    plane: Plane, admin: httpx.Client, desk: SignedDevice
) -> None:
    desk.report(report_of(sent(plane), desk.device_id, outcome=Outcome.INSTALLED))
    assert publish(plane, admin, "4", hold=True) == {"revision": 4, "created": True, "deployed": 3}
    plane.plan()
    assert plane.dispatch() == []
    assert admin.post("/v1/rollouts", json={"app": "Editor", "name": "r"}).is_success
    assert admin.post("/v1/rollouts/r/start", json={}).is_success
    advance_now(plane.services)
    plane.clock.advance(timedelta(seconds=1))
    assert revision_of(plane, sent(plane)) == 4


def test_publishing_the_same_again_holds_and_releases_nothing(
    plane: Plane, admin: httpx.Client, desk: SignedDevice
) -> None:
    assert publish(plane, admin, "4", hold=True) == {"revision": 4, "created": True, "deployed": 3}
    assert publish(plane, admin, "4", hold=False) == {"revision": 4, "created": False, "deployed": 3}
    assert admin.delete("/v1/apps/Editor/pin").is_success
    assert publish(plane, admin, "4", hold=True) == {"revision": 4, "created": False, "deployed": 4}


def test_a_held_revision_of_a_pinned_app_leaves_the_pin(plane: Plane, admin: httpx.Client, desk: SignedDevice) -> None:
    admin.put("/v1/apps/Editor/pin", json={"revision": 2})
    assert publish(plane, admin, "4", hold=True)["deployed"] == 2
