"""Filters, groups with rules, assignments with terms, changes: their routes."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contract.queues import ControlTask
from contract.uplink import MAX_BODY_BYTES, Problem
from control.api.body_limits import MAX_CHANGES_BYTES
from control.database.tables import Role
from control.security.operator_tokens import create_operator_token
from tests.control.plane import Plane, SignedDevice, manifest_data

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]

RULE = 'device.site -eq "Berlin"'
READING = ["/v1/filters", "/v1/filters/berlin", f"/v1/matches?rule={RULE}", "/v1/assignments/desks/Editor"]
WRITING: list[tuple[str, str, Any]] = [
    ("POST", "/v1/filters", {"name": "berlin", "rule": RULE}),
    ("PUT", "/v1/filters/berlin", {"rule": RULE}),
    ("DELETE", "/v1/filters/berlin", None),
    ("PUT", "/v1/groups/desks/rule", {"rule": RULE}),
    ("DELETE", "/v1/groups/desks", None),
    ("PUT", "/v1/devices/desk-1/site", {"site": "Berlin"}),
    ("DELETE", "/v1/assignments/desks/Editor", None),
    ("POST", "/v1/changes", {"documents": []}),
]


@pytest.fixture
def admin(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


@pytest.fixture
def confined(plane: Plane, client: httpx.Client) -> Callable[[str], httpx.Client]:
    """An operator whose token is confined to one group."""

    def login(group: str) -> httpx.Client:
        group_id = plane.group(group)
        with plane.services.database.transaction() as session:
            token, _ = create_operator_token(
                session, name="c", role=Role.OPERATOR, lifetime=None, now=plane.clock.now(), group_ids=(group_id,)
            )
        client.headers.update({"Authorization": f"Bearer {token}"})
        return client

    return login


def problem(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == "application/problem+json"
    return Problem.model_validate_json(response.content)


@pytest.mark.parametrize("path", READING)
def test_reading_asks_for_a_token(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), WRITING)
def test_a_viewer_changes_nothing(client: httpx.Client, operator: Headers, method: str, path: str, body: Any) -> None:
    response = client.request(method, path, json=body, headers=operator(Role.VIEWER))
    assert (response.status_code, problem(response).code) == (403, "forbidden")


def test_a_filter_lives_from_its_making_to_its_end(plane: Plane, admin: httpx.Client) -> None:
    made = admin.post("/v1/filters", json={"name": "berlin", "rule": "Site -EQ  'x'".replace("'", '"')})
    assert (made.status_code, made.json()["rule"]) == (201, 'device.site -eq "x"')
    assert admin.post("/v1/filters", json={"name": "berlin", "rule": 'site -eq "x"'}).status_code == 200
    taken = admin.post("/v1/filters", json={"name": "berlin", "rule": RULE})
    assert (taken.status_code, problem(taken).code) == (409, "name-taken")
    changed = admin.put("/v1/filters/berlin", json={"rule": RULE})
    assert (changed.json()["rule"], plane.queue.asked) == (RULE, [ControlTask.PLAN])
    shown = admin.get("/v1/filters/berlin")
    assert admin.get("/v1/filters/berlin", headers={"If-None-Match": shown.headers["ETag"]}).status_code == 304
    assert admin.put("/v1/filters/berlin", json={"rule": RULE}, headers={"If-Match": '"old"'}).status_code == 412
    assert [one["name"] for one in admin.get("/v1/filters").json()["items"]] == ["berlin"]
    assert admin.delete("/v1/filters/berlin").status_code == 204
    assert problem(admin.get("/v1/filters/berlin")).code == "unknown-filter"
    actions = [one["action"] for one in admin.get("/v1/audit").json()["items"]]
    assert actions[-3:] == ["filter.create", "filter.change", "filter.delete"]


def test_a_filter_in_use_stays(plane: Plane, admin: httpx.Client) -> None:
    plane.publish()
    plane.group("desks")
    admin.post("/v1/filters", json={"name": "berlin", "rule": RULE})
    admin.post("/v1/assignments", json={"app": "Editor", "group": "desks", "filter": "berlin"})
    refused = admin.delete("/v1/filters/berlin")
    assert (refused.status_code, problem(refused).detail) == (409, "assignment of Editor to desks")


def test_a_rule_is_tried_on_the_fleet_and_on_a_device(admin: httpx.Client, enrolled: Enrolled) -> None:
    enrolled("desk-1")
    enrolled("desk-2")
    assert admin.put("/v1/devices/desk-2/site", json={"site": "Berlin"}).status_code == 200
    page = admin.get("/v1/matches", params={"rule": RULE, "limit": 1}).json()
    assert [(one["device"], one["matches"]) for one in page["items"]] == [("desk-1", False)]
    page = admin.get("/v1/matches", params={"rule": RULE, "cursor": page["next_cursor"]}).json()
    assert [(one["device"], one["matches"]) for one in page["items"]] == [("desk-2", True)]
    one = admin.get("/v1/matches/desk-2", params={"rule": RULE}).json()
    assert one["verdicts"] == [{"term": RULE, "found": "Berlin", "holds": True}]


def test_a_site_moves_a_device_between_groups_and_says_why(
    plane: Plane, admin: httpx.Client, enrolled: Enrolled
) -> None:
    enrolled("desk-1")
    made = admin.post("/v1/groups", json={"name": "berlin", "rule": RULE}).json()
    assert (made["members"], made["rule"]) == (0, RULE)
    admin.put("/v1/devices/desk-1/site", json={"site": "berlin"})
    assert admin.get("/v1/groups/berlin").json()["members"] == 1
    assert admin.get("/v1/groups/berlin/matches/desk-1").json()["matches"] is True
    admin.put("/v1/devices/desk-1/site", json={"site": None})
    assert admin.get("/v1/groups/berlin").json()["members"] == 0
    for method in ("PUT", "DELETE"):
        refused = admin.request(method, "/v1/groups/berlin/members/desk-1")
        assert (refused.status_code, problem(refused).code) == (409, "group-dynamic")
    assert problem(admin.post("/v1/enrollment-tokens", json={"group": "berlin"})).code == "group-dynamic"
    assert admin.put("/v1/groups/berlin/rule", json={"rule": None}).json()["rule"] is None
    assert problem(admin.get("/v1/groups/berlin/matches/desk-1")).code == "group-static"
    assert admin.delete("/v1/groups/berlin").status_code == 204
    assert problem(admin.get("/v1/groups/berlin")).code == "unknown-group"
    assert ControlTask.PLAN in plane.queue.asked


@pytest.mark.behaviour("2.8 assignment filter", "2.8 exclusion")
def test_an_assignment_has_terms_and_goes_back_to_none(plane: Plane, admin: httpx.Client) -> None:
    plane.publish()
    plane.group("desks")
    admin.post("/v1/filters", json={"name": "berlin", "rule": RULE})
    terms = {"filter": "berlin", "start": "2026-03-01T08:00:00+01:00", "delivery_priority": "foreground"}
    made = admin.post("/v1/assignments", json={"app": "Editor", "group": "desks", **terms})
    assert (made.status_code, made.json()["filter_mode"], made.json()["start"]) == (
        201,
        "include",
        "2026-03-01T07:00:00Z",
    )
    assert admin.get("/v1/assignments/desks/Editor").json() == made.json()
    excluded = admin.post("/v1/assignments", json={"app": "Editor", "group": "desks", "mode": "exclude"})
    assert (excluded.status_code, excluded.json()["intent"], excluded.json()["filter"]) == (200, 0, None)
    assert len(admin.get("/v1/assignments", params={"app": "Editor", "group": "desks"}).json()["items"]) == 1
    assert admin.delete("/v1/assignments/desks/Editor").status_code == 204
    gone = admin.delete("/v1/assignments/desks/Editor")
    assert (gone.status_code, problem(gone).code) == (404, "unknown-assignment")


@pytest.mark.behaviour("2.8 assignment filter")
def test_a_filtered_and_an_excluded_device_get_nothing(plane: Plane, admin: httpx.Client, enrolled: Enrolled) -> None:
    desks = plane.group("desks")
    plane.publish()
    for name in ("desk-1", "desk-2"):
        enrolled(name, group_id=desks)
    admin.put("/v1/devices/desk-2/site", json={"site": "Berlin"})
    admin.post("/v1/filters", json={"name": "berlin", "rule": RULE})
    admin.post("/v1/assignments", json={"app": "Editor", "group": "desks", "filter": "berlin"})
    plane.plan()
    live = [job for job in admin.get("/v1/status").json()["items"] if job["state"] == "planned"]
    assert [job["device"] for job in live] == ["desk-2"]
    admin.post("/v1/groups", json={"name": "not there", "rule": RULE})
    admin.post("/v1/assignments", json={"app": "Editor", "group": "not there", "mode": "exclude"})
    plane.plan()
    assert [job for job in admin.get("/v1/status").json()["items"] if job["state"] == "planned"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/filters", {}, 422, "document-invalid"),
        ("POST", "/v1/filters", {"name": "a/b", "rule": RULE}, 422, "document-invalid"),
        ("POST", "/v1/filters", {"name": "a", "rule": ""}, 422, "filter-invalid"),
        ("POST", "/v1/filters", {"name": "a", "rule": "x" * 5000}, 422, "document-invalid"),
        ("POST", "/v1/filters", {"name": "a", "rule": r'site -eq "\ud800"'}, 422, "filter-invalid"),
        ("POST", "/v1/filters", {"name": "a", "rule": 'site -eq "\x00"'}, 422, "filter-invalid"),
        ("PUT", "/v1/filters/nothing", {"rule": RULE}, 404, "unknown-filter"),
        ("DELETE", "/v1/filters/nothing", None, 404, "unknown-filter"),
        ("GET", "/v1/matches", None, 422, "document-invalid"),
        ("GET", "/v1/matches?rule=nonsense", None, 422, "filter-invalid"),
        ("GET", f"/v1/matches/nobody?rule={RULE}", None, 404, "unknown-device"),
        ("PUT", "/v1/groups/nothing/rule", {"rule": RULE}, 404, "unknown-group"),
        ("PUT", "/v1/groups/desks/rule", {}, 422, "document-invalid"),
        ("PUT", "/v1/groups/desks/rule", {"rule": "nonsense"}, 422, "filter-invalid"),
        ("DELETE", "/v1/groups/nothing", None, 404, "unknown-group"),
        ("PUT", "/v1/devices/nobody/site", {"site": "x"}, 404, "unknown-device"),
        ("PUT", "/v1/devices/nobody/site", {"site": ""}, 422, "document-invalid"),
        ("PUT", "/v1/devices/nobody/site", {"site": "a\nb"}, 422, "document-invalid"),
        ("POST", "/v1/assignments", {"app": "Editor", "group": "desks", "filter": "no"}, 404, "unknown-filter"),
        ("POST", "/v1/assignments", {"app": "Editor", "group": "desks", "start": "soon"}, 422, "document-invalid"),
        (
            "POST",
            "/v1/assignments",
            {"app": "Editor", "group": "desks", "mode": "exclude", "intent": 3},
            422,
            "assignment-impossible",
        ),
        ("GET", "/v1/assignments/desks/Editor", None, 404, "unknown-assignment"),
        ("GET", "/v1/assignments?app=Nothing", None, 404, "unknown-app"),
        ("POST", "/v1/changes", {}, 422, "document-invalid"),
        ("POST", "/v1/changes", {"documents": [{"kind": "Nothing"}]}, 422, "document-invalid"),
        ("POST", "/v1/changes", {"documents": [{"kind": "Group", "name": "a", "x": 1}]}, 422, "document-invalid"),
        ("POST", "/v1/changes", {"documents": [], "expected_state": "old"}, 412, "precondition-failed"),
        (
            "POST",
            "/v1/changes",
            {"documents": [{"kind": "App", "manifest": manifest_data(name="X"), "package": "a" * 64}]},
            404,
            "unknown-package",
        ),
    ],
)
def test_what_is_wrong_is_said(
    plane: Plane, admin: httpx.Client, method: str, path: str, body: Any, status: int, code: str
) -> None:
    plane.publish()
    plane.group("desks")
    before = admin.get("/v1/state").json()
    response = admin.request(method, path, json=body)
    assert (response.status_code, problem(response).code) == (status, code)
    assert admin.get("/v1/state").json() == before


def test_a_document_that_is_refused_leaves_nothing_of_the_others(plane: Plane, admin: httpx.Client) -> None:
    """Refused by the database's side of things, after other documents were written."""
    plane.publish()
    before = admin.get("/v1/state").json()
    documents = [
        {"kind": "Filter", "name": "berlin", "rule": RULE},
        {"kind": "Group", "name": "desks"},
        {"kind": "Assignment", "app": "Editor", "group": "desks", "filter": "berlin"},
        {"kind": "Rollout", "name": "r", "app": "Editor", "rollback_on_failure": True},
    ]
    planned = admin.post("/v1/changes", json={"documents": documents, "dry_run": True}).json()
    assert len(planned["changes"]) == 4
    refused = admin.post("/v1/changes", json={"documents": documents})
    assert (refused.status_code, problem(refused).code) == (422, "rollout-invalid")
    assert admin.get("/v1/state").json() == before
    assert plane.queue.asked == []


def test_every_change_of_documents_is_audited(admin: httpx.Client) -> None:
    admin.post("/v1/changes", json={"documents": [{"kind": "Group", "name": "desks"}]})
    admin.post("/v1/changes", json={"documents": [], "prune": True})
    entries = admin.get("/v1/audit").json()["items"][-2:]
    assert [(one["action"], one["target"]) for one in entries] == [
        ("desired.create", "Group desks"),
        ("desired.delete", "Group desks"),
    ]
    assert entries[0]["after"] == {"name": "desks"}


def test_a_confined_operator_keeps_to_its_group(
    plane: Plane, confined: Callable[[str], httpx.Client], enrolled: Enrolled
) -> None:
    plane.publish()
    plane.group("others")
    plane.assign("others")
    own = plane.group("own")
    enrolled("desk-1", group_id=own)
    enrolled("desk-2")
    client = confined("own")
    assert [one["device"] for one in client.get("/v1/matches", params={"rule": RULE}).json()["items"]] == ["desk-1"]
    assert client.put("/v1/devices/desk-1/site", json={"site": "Berlin"}).status_code == 200
    assert client.post("/v1/assignments", json={"app": "Editor", "group": "own"}).status_code == 201
    assert [one["group"] for one in client.get("/v1/assignments").json()["items"]] == ["own"]
    assert client.delete("/v1/assignments/own/Editor").status_code == 204
    refusals = [
        client.get("/v1/matches/desk-2", params={"rule": RULE}),
        client.put("/v1/devices/desk-2/site", json={"site": "Berlin"}),
        client.post("/v1/assignments", json={"app": "Editor", "group": "others"}),
        client.get("/v1/assignments/others/Editor"),
        client.get("/v1/assignments", params={"group": "others"}),
        client.delete("/v1/assignments/others/Editor"),
        client.put("/v1/groups/own/rule", json={"rule": RULE}),
        client.delete("/v1/groups/own"),
        client.post("/v1/filters", json={"name": "a", "rule": RULE}),
        client.post("/v1/changes", json={"documents": []}),
        client.get("/v1/state"),
    ]
    assert [response.status_code for response in refusals] == [403] * len(refusals)


def test_the_desired_state_of_a_large_fleet_comes_at_once(admin: httpx.Client) -> None:
    documents = [{"kind": "Group", "name": f"{number:05} {'x' * 150}"} for number in range(8000)]
    planned = admin.post("/v1/changes", json={"documents": documents, "dry_run": True})
    assert len(planned.request.content) > MAX_BODY_BYTES
    assert (planned.status_code, len(planned.json()["changes"])) == (200, len(documents))


def test_a_larger_one_is_refused_with_the_limit(admin: httpx.Client) -> None:
    refused = admin.post("/v1/changes", content=b" " * (MAX_CHANGES_BYTES + 1))
    assert (refused.status_code, problem(refused).code) == (413, "request-too-large")
    assert str(MAX_CHANGES_BYTES) in problem(refused).detail
