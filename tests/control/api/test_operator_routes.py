"""The operators' side of the API: roles, answers, and clear words for what is wrong."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.queues import ControlTask
from contract.uplink import Problem
from control.database.tables import Role
from control.security.operator_tokens import create_operator_token
from tests.control.plane import Plane, SignedDevice, failed_report_of, manifest_data, retry_at

Enrolled = Callable[..., SignedDevice]
MakeClient = Callable[[Plane], httpx.Client]
Headers = Callable[[Role], dict[str, str]]

READING = ["/v1/apps", "/v1/groups", "/v1/devices", "/v1/assignments", "/v1/status"]
WRITING: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/packages", {}),
    ("POST", "/v1/apps", {"manifest": manifest_data(), "package": "0" * 64}),
    ("POST", "/v1/groups", {"name": "desks"}),
    ("PUT", "/v1/groups/desks/members/desk-1", {}),
    ("DELETE", "/v1/groups/desks/members/desk-1", {}),
    ("POST", "/v1/assignments", {"app": "Editor", "group": "desks"}),
]
ENROLLMENT = "/v1/enrollment-tokens"


@pytest.fixture
def admin(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


def problem(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == "application/problem+json"
    return Problem.model_validate_json(response.content)


def test_an_app_is_published_assigned_and_seen(plane: Plane, admin: httpx.Client, enrolled: Enrolled) -> None:
    package = admin.post("/v1/packages", content=plane.package.read_bytes()).json()
    published = admin.post("/v1/apps", json={"manifest": manifest_data(), "package": package["digest"]})
    assert (published.status_code, published.json()["revision"], published.json()["created"]) == (201, 1, True)
    assert admin.post("/v1/groups", json={"name": "desks"}).status_code == 201
    device = enrolled()
    assert admin.put("/v1/groups/desks/members/desk-1").status_code == 204
    assigned = admin.post("/v1/assignments", json={"app": "Editor", "group": "desks", "intent": 3})
    assert assigned.status_code == 201
    assert plane.queue.asked == [ControlTask.PLAN] * 3
    plane.plan()
    named = {"app": "Editor", "group": "desks", "device": device.device_id}
    (job,) = admin.get("/v1/status", params=named).json()["items"]
    assert (job["device"], job["app"], job["state"]) == ("desk-1", "Editor", "planned")
    assert admin.get("/v1/apps/Editor").json()["assignments"][0]["group"] == "desks"
    assert admin.get("/v1/groups/desks/members").json()["items"][0]["name"] == "desk-1"


def test_doing_the_same_again_is_answered_with_what_is_there(plane: Plane, admin: httpx.Client) -> None:
    digest = admin.post("/v1/packages", content=plane.package.read_bytes()).json()["digest"]
    assert admin.post("/v1/packages", content=plane.package.read_bytes()).json()["digest"] == digest
    body = {"manifest": manifest_data(), "package": digest}
    assert [admin.post("/v1/apps", json=body).status_code for _ in range(2)] == [201, 200]
    plane.group("desks")
    body = {"app": "Editor", "group": "desks"}
    assert [admin.post("/v1/assignments", json=body).status_code for _ in range(2)] == [201, 200]
    assert len(admin.get("/v1/assignments").json()["items"]) == 1


def test_a_devices_page_tells_phases_error_hint_and_next_action(
    plane: Plane, admin: httpx.Client, enrolled: Enrolled
) -> None:
    plane.publish()
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    at = plane.clock.now() + timedelta(minutes=5)
    device.report(failed_report_of(ref, device.device_id, next_action=retry_at(at, ref)))
    page = admin.get("/v1/devices/desk-1").json()
    (job,) = page["jobs"]
    assert (job["state"], job["outcome"], job["raw_exit_code"]) == ("waiting", "failed", 7)
    assert job["hint"] == ErrorCode.INSTALLER_FAILED.hint
    assert (
        job["next_action"]
        == f"next attempt at {at:%Y-%m-%d %H:%M:%S} UTC because the attempt failed; attempts keep an interval"
    )
    assert [(phase["phase"], phase["duration_seconds"]) for phase in job["phases"]] == [("install", 2.0)]
    assert (page["online"], page["groups"], page["facts"]["processors"]) == (True, ["desks"], 2)


def test_a_device_not_seen_for_a_while_is_offline(plane: Plane, admin: httpx.Client, enrolled: Enrolled) -> None:
    enrolled()
    plane.clock.advance(timedelta(seconds=660))
    assert admin.get("/v1/devices").json()["items"][0]["online"]
    plane.clock.advance(timedelta(seconds=1))
    assert not admin.get("/v1/devices").json()["items"][0]["online"]


@pytest.mark.parametrize("path", READING)
def test_a_viewer_may_read(client: httpx.Client, operator: Headers, path: str) -> None:
    assert client.get(path, headers=operator(Role.VIEWER)).json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(("method", "path", "body"), [*WRITING, ("POST", ENROLLMENT, {})])
def test_a_viewer_may_change_nothing(
    client: httpx.Client, operator: Headers, method: str, path: str, body: dict[str, Any]
) -> None:
    response = client.request(method, path, json=body, headers=operator(Role.VIEWER))
    assert (response.status_code, problem(response).code) == (403, "forbidden")


def test_an_operator_lets_no_devices_in(client: httpx.Client, operator: Headers) -> None:
    assert client.post(ENROLLMENT, json={}, headers=operator(Role.OPERATOR)).status_code == 403


@pytest.mark.parametrize(("method", "path", "body"), WRITING)
def test_an_operator_may_change_what_is_deployed(
    client: httpx.Client, operator: Headers, method: str, path: str, body: dict[str, Any]
) -> None:
    response = client.request(method, path, json=body, headers=operator(Role.OPERATOR))
    assert response.status_code not in {401, 403}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}, {"Authorization": "Basic YTpi"}])
@pytest.mark.parametrize("path", READING)
def test_nobody_else_may_do_anything(client: httpx.Client, path: str, headers: dict[str, str]) -> None:
    response = client.get(path, headers=headers)
    assert (response.status_code, problem(response).code) == (401, "token-refused")


def test_an_expired_token_is_refused(plane: Plane, client: httpx.Client) -> None:
    with plane.services.database.transaction() as session:
        token, _ = create_operator_token(
            session, name="test", role=Role.ADMIN, lifetime=timedelta(hours=1), now=plane.clock.now()
        )
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/v1/apps", headers=headers).status_code == 200
    plane.clock.advance(timedelta(hours=1))
    assert client.get("/v1/apps", headers=headers).status_code == 401


def test_an_enrollment_token_lets_a_device_into_its_group(
    plane: Plane, admin: httpx.Client, client: httpx.Client
) -> None:
    plane.group("desks")
    made = admin.post(ENROLLMENT, json={"group": "desks", "uses": 2, "lifetime_seconds": 60}).json()
    assert made["uses"] == 2
    device = SignedDevice(client)
    assert device.enroll(made["token"]).status_code == 200
    assert admin.get("/v1/devices/desk-1").json()["groups"] == ["desks"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/assignments", {"app": "Nothing", "group": "desks"}, 404, "unknown-app"),
        ("POST", "/v1/assignments", {"app": "Editor", "group": "shelves"}, 404, "unknown-group"),
        ("POST", "/v1/assignments", {"app": "Editor", "group": "desks", "intent": 0}, 422, "document-invalid"),
        ("POST", "/v1/assignments", {"app": "Editor", "group": "desks", "intent": 99}, 422, "document-invalid"),
        ("POST", "/v1/assignments", {"app": "Editor", "group": "desks", "when": 1}, 422, "document-invalid"),
        ("POST", "/v1/apps", {"manifest": manifest_data(attempts=0), "package": "0"}, 422, "manifest-invalid"),
        ("POST", "/v1/apps", {"manifest": manifest_data(), "package": "0"}, 404, "unknown-package"),
        ("POST", "/v1/groups", {"name": "a/b"}, 422, "document-invalid"),
        ("POST", ENROLLMENT, {"uses": 0}, 422, "document-invalid"),
        ("POST", ENROLLMENT, {"group": "shelves"}, 404, "unknown-group"),
        ("PUT", "/v1/groups/desks/members/nobody", None, 404, "unknown-device"),
        ("GET", "/v1/apps/Nothing", None, 404, "unknown-app"),
        ("GET", "/v1/devices/nobody", None, 404, "unknown-device"),
        ("GET", "/v1/status?app=Nothing", None, 404, "unknown-app"),
        ("GET", "/v1/status?group=shelves", None, 404, "unknown-group"),
        ("GET", "/v1/nothing", None, 404, "unknown-route"),
        ("DELETE", "/v1/apps", None, 405, "unknown-route"),
    ],
)
def test_what_is_wrong_is_said(
    plane: Plane, admin: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    plane.publish()
    plane.group("desks")
    response = admin.request(method, path, json=body)
    said = problem(response)
    assert (response.status_code, said.code, said.status) == (status, code, status)
    assert said.title == ErrorCode.from_slug(code).sentence
    assert said.hint


def test_a_body_that_is_no_json_is_a_problem_too(admin: httpx.Client) -> None:
    response = admin.post("/v1/groups", content=b"{", headers={"Content-Type": "application/json"})
    assert (response.status_code, problem(response).code) == (422, "document-invalid")


def test_a_file_that_is_no_package_is_refused(plane: Plane, admin: httpx.Client) -> None:
    response = admin.post("/v1/packages", content=b"just bytes")
    assert (response.status_code, problem(response).code) == (422, "package-not-a-package")
    assert list(plane.store.keys()) == []


def test_a_package_that_is_too_large_is_refused_while_it_comes(
    plane: Plane, make_client: MakeClient, operator: Headers
) -> None:
    settings = plane.services.settings.model_copy(update={"max_package_bytes": 10})
    small = replace(plane, services=replace(plane.services, settings=settings))
    response = make_client(small).post(
        "/v1/packages", content=plane.package.read_bytes(), headers=operator(Role.OPERATOR)
    )
    assert (response.status_code, problem(response).code) == (413, "package-too-large")


def test_a_store_that_is_down_is_said_and_nothing_is_published(
    plane: Plane, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_arguments: object, **_options: object) -> None:
        raise UnavailableError(ErrorCode.STORE_UNAVAILABLE, place="http://store.example")

    monkeypatch.setattr(plane.store, "put", down)
    response = admin.post("/v1/packages", content=plane.package.read_bytes())
    assert (response.status_code, problem(response).code) == (503, "store-unavailable")
    assert problem(response).retry_helps


def test_a_database_without_its_tables_is_said(plane: Plane, client: httpx.Client) -> None:
    assert client.get("/v1/health").json() == {"status": "ok"}
    with plane.services.database.transaction() as session:
        session.execute(text("PRAGMA foreign_keys=OFF"))
        session.execute(text("DROP TABLE assignments"))
        session.execute(text("ALTER TABLE apps RENAME TO no_apps"))
    response = client.get("/v1/health")
    assert (response.status_code, problem(response).code) == (503, "database-unavailable")


def test_an_unexpected_failure_tells_no_secrets(
    plane: Plane, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise RuntimeError("a secret in an exception")

    monkeypatch.setattr("control.api.operator_catalog.list_apps", broken)
    response = admin.get("/v1/apps")
    assert (response.status_code, problem(response).code) == (500, "api-error")
    assert "secret" not in response.text


def test_the_api_describes_itself(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/v1/status", "/v1/device/check-in", "/v1/packages"} <= set(paths)
