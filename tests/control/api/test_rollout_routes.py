"""The routes of rollouts: roles, answers, ETags, and clear words for what is wrong, after which nothing has changed."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from contract.queues import ControlTask
from contract.uplink import Problem
from control.database.tables import AuditEntry, Role, Rollout
from tests.control.plane import FACTS, Plane
from tests.control.rollouts.rolled_fleet import RolledFleet, fleet_with_news

Headers = Callable[[Role], dict[str, str]]

SPEC = {"rings": [{"name": "canary", "percent": 10, "soak_seconds": 60}, {"name": "all"}]}
BODY: dict[str, Any] = {"app": "Editor", "spec": SPEC}
NAME = "Editor r2"
URL = f"/v1/rollouts/{NAME}"
ACTIONS = ("start", "pause", "resume", "halt", "cancel", "rollback")


@pytest.fixture
def fleet(plane: Plane) -> RolledFleet:
    return fleet_with_news(plane, 20)


@pytest.fixture
def api(client: httpx.Client, operator: Headers, fleet: RolledFleet) -> httpx.Client:
    client.headers.update(operator(Role.OPERATOR))
    return client


def problem(response: httpx.Response) -> Problem:
    assert response.headers["Content-Type"] == "application/problem+json"
    return Problem.model_validate_json(response.content)


def rollouts(plane: Plane) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Rollout)) or 0


class TestRoles:
    @pytest.mark.parametrize("path", ["/v1/rollouts", URL, f"{URL}/devices", f"{URL}/events"])
    def test_a_viewer_may_look(self, api: httpx.Client, operator: Headers, path: str) -> None:
        api.post("/v1/rollouts", json=BODY)
        assert api.get(path, headers=operator(Role.VIEWER)).status_code == 200
        assert api.get(path, headers={"Authorization": ""}).status_code == 401

    def test_a_viewer_may_try_out(self, api: httpx.Client, operator: Headers) -> None:
        assert api.post("/v1/rollouts/plan", json=BODY, headers=operator(Role.VIEWER)).status_code == 200

    @pytest.mark.parametrize("path", ["/v1/rollouts", *(f"{URL}/{action}" for action in ACTIONS)])
    def test_a_viewer_changes_nothing(self, plane: Plane, api: httpx.Client, operator: Headers, path: str) -> None:
        refused = api.post(path, json=BODY if path == "/v1/rollouts" else {}, headers=operator(Role.VIEWER))
        assert (refused.status_code, problem(refused).code) == (403, "forbidden")
        assert rollouts(plane) == 0


def test_it_is_made_started_and_looked_at(plane: Plane, api: httpx.Client, fleet: RolledFleet) -> None:
    made = api.post("/v1/rollouts", json=BODY)
    assert made.status_code == 201
    assert (made.json()["name"], made.json()["state"], made.json()["baseline"]) == (NAME, "draft", 1)
    assert made.json()["possible"] == ["start", "cancel"]
    started = api.post(f"{URL}/start", json={"reason": "monday"})
    assert (started.status_code, started.json()["state"]) == (200, "running")
    assert {ControlTask.ROLLOUT, ControlTask.PLAN} <= set(plane.queue.asked)
    fleet.turn()
    (canary, rest) = api.get(URL).json()["rings"]
    assert (canary["standings"], rest["standings"]) == ({"succeeded": 2}, {"held": 18})
    assert canary["success"] == {"holds": True, "words": "2 of 2 as wanted, 90 % are needed"}
    (listed,) = api.get("/v1/rollouts", params={"app": "Editor"}).json()["items"]
    assert listed["name"] == NAME
    devices = api.get(f"{URL}/devices", params={"ring": "canary"}).json()["items"]
    assert {device["standing"] for device in devices} == {"succeeded"}
    events = api.get(f"{URL}/events").json()["items"]
    assert [(event["what"], event["actor"]) for event in events] == [
        ("created", "test"),
        ("start", "test"),
        ("ring-opened", "rollout"),
    ]
    assert events[1]["detail"] == "monday; 20 devices"


def test_lists_come_in_pages(api: httpx.Client, fleet: RolledFleet) -> None:
    api.post("/v1/rollouts", json=BODY)
    api.post(f"{URL}/start", json={})
    names: list[str] = []
    cursor = None
    while True:
        params = {"limit": 7} | ({} if cursor is None else {"cursor": cursor})
        page = api.get(f"{URL}/devices", params=params).json()
        names += [device["device"] for device in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == sorted(names)
    assert len(set(names)) == 20
    wrong = api.get(f"{URL}/events", params={"cursor": "x"})
    assert (wrong.status_code, problem(wrong).code) == (422, "cursor-invalid")


def test_what_operators_do_is_audited_once(plane: Plane, api: httpx.Client) -> None:
    api.post("/v1/rollouts", json=BODY)
    for action in ("start", "start", "pause", "pause", "resume", "halt", "cancel"):
        assert api.post(f"{URL}/{action}", json={}).status_code == 200
    with plane.services.database.snapshot() as session:
        entries = session.execute(select(AuditEntry.action, AuditEntry.target).order_by(AuditEntry.sequence)).all()
    actions = ["create", "start", "pause", "resume", "halt", "cancel"]
    assert [tuple(entry) for entry in entries] == [(f"rollout.{action}", NAME) for action in actions]


def test_what_cannot_be_done_now_is_a_conflict_that_says_what_can(plane: Plane, api: httpx.Client) -> None:
    api.post("/v1/rollouts", json=BODY)
    refused = api.post(f"{URL}/pause", json={})
    assert (refused.status_code, problem(refused).code) == (409, "rollout-state-wrong")
    assert problem(refused).detail == "it is draft; pause cannot be done to it now, possible: start, cancel"
    again = api.post("/v1/rollouts", json=BODY)
    assert (again.status_code, problem(again).code) == (409, "rollout-active")
    assert rollouts(plane) == 1


def test_a_change_may_depend_on_what_was_seen(api: httpx.Client) -> None:
    api.post("/v1/rollouts", json=BODY)
    tag = api.get(URL).headers["ETag"]
    assert api.get(URL, headers={"If-None-Match": tag}).status_code == 304
    assert api.post(f"{URL}/start", json={}, headers={"If-Match": tag}).status_code == 200
    stale = api.post(f"{URL}/cancel", json={}, headers={"If-Match": tag})
    assert (stale.status_code, problem(stale).code) == (412, "precondition-failed")
    assert api.get(URL).json()["state"] == "running"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"rings": []}, "at least 1 item"),
        ({"rings": [{"name": "a"}, {"name": "b"}]}, "only the last ring can do without a size"),
        ({"rings": [{"name": "a", "percent": 60}, {"name": "a"}]}, "two rings are named 'a'"),
        ({"rings": [{"name": "a", "percent": 60}, {"name": "b", "percent": 60}]}, "add up to 120 %"),
        ({"rings": [{"name": "a", "percent": 60}, {"name": "b", "percent": 20}]}, "found 80 %"),
        ({"rings": [{"name": "a", "percent": 5, "count": 5}, {"name": "b"}]}, "several sizes"),
        ({"rings": [{"name": "a", "count": 5}]}, "expected no count"),
        ({"rings": [{"name": "a", "percent": 101}, {"name": "b"}]}, "less than or equal to 100"),
        ({"rings": [{"name": "a", "soak": "1h"}]}, "Extra inputs are not permitted"),
        ({"rings": [{"name": "", "percent": 1}, {"name": "b"}]}, "at least 1 character"),
        ({"rings": [{"name": "a", "failure": {"classes": ["bad luck"]}}]}, "Input should be"),
        ({"limits": {"rollout": 0}}, "greater than or equal to 1"),
        ({"windows": [{"start": "25:00", "duration_in_minutes": 5}]}, "match pattern"),
        ({"windows": [{"start": "22:00", "duration_in_minutes": 5, "days": ["monday"], "zone": "UTC"}]}, "Extra"),
        ({"rings": [{"name": str(number), "count": 1} for number in range(25)]}, "at most 20 items"),
    ],
)
def test_a_rollout_that_makes_no_sense_is_refused_with_the_place(
    plane: Plane, api: httpx.Client, spec: dict[str, Any], words: str
) -> None:
    for path in ("/v1/rollouts", "/v1/rollouts/plan"):
        refused = api.post(path, json={"app": "Editor", "spec": spec})
        assert (refused.status_code, problem(refused).code) == (422, "document-invalid")
        assert words in problem(refused).detail
        assert problem(refused).place.startswith("spec")
    assert rollouts(plane) == 0


@pytest.mark.parametrize(
    "name", ["nothing", "..", "a/b", "%00", "r" * 300, "Editor r2; DROP TABLE rollouts", "\U0001f600"]
)
def test_a_name_that_stands_for_nothing_is_not_found(api: httpx.Client, name: str) -> None:
    quoted = httpx.URL("https://x/").join(f"/{name}").raw_path.decode() if name != ".." else "/%2e%2e"
    for method, path in (("GET", ""), ("GET", "/devices"), ("GET", "/events"), ("POST", "/start")):
        response = api.request(method, f"/v1/rollouts{quoted}{path}", json={} if method == "POST" else None)
        assert response.status_code in {404, 422}, response.text
        assert problem(response).code in {"unknown-rollout", "document-invalid", "unknown-route"}


def test_an_unknown_action_ring_or_app_is_named(api: httpx.Client) -> None:
    api.post("/v1/rollouts", json=BODY)
    assert problem(api.post(f"{URL}/finish", json={})).place == "path.action"
    assert problem(api.get(f"{URL}/devices", params={"ring": "third"})).detail == "its rings are canary, all"
    assert problem(api.get("/v1/rollouts", params={"app": "Nothing"})).code == "unknown-app"
    assert problem(api.post("/v1/rollouts/plan", json={"app": "Nothing"})).code == "unknown-app"


def test_a_rollout_whose_name_holds_a_slash_is_found_by_it(api: httpx.Client) -> None:
    api.post("/v1/rollouts", json={**BODY, "name": "spring/one"})
    assert api.get("/v1/rollouts/spring%2Fone").json()["name"] == "spring/one"
    assert api.post("/v1/rollouts/spring%2Fone/start", json={}).json()["state"] == "running"


class TestTryingOut:
    def test_it_says_devices_bytes_and_time_and_changes_nothing(self, plane: Plane, api: httpx.Client) -> None:
        found = api.post("/v1/rollouts/plan", json=BODY).json()
        assert [(ring["name"], ring["devices"], ring["online"]) for ring in found["rings"]] == [
            ("canary", 2, 2),
            ("all", 18, 18),
        ]
        package = found["rings"][0]["bytes"] // 2
        assert (found["bytes"], found["devices"], found["baseline"]) == (20 * package, 20, 1)
        # Twenty devices took 2 seconds each for revision 1; the first ring soaks for a minute.
        assert (found["seconds_per_device"], found["measured_on"], found["seconds"]) == (2.0, 20, 64.0)
        assert rollouts(plane) == 0

    def test_limits_make_it_longer(self, api: httpx.Client) -> None:
        found = api.post("/v1/rollouts/plan", json={"app": "Editor", "spec": {"limits": {"rollout": 7}}}).json()
        assert found["seconds"] == 3 * 2.0

    def test_devices_that_the_app_is_not_for_are_named_with_the_reason(
        self, api: httpx.Client, fleet: RolledFleet
    ) -> None:
        fleet.plane.publish(displayVersion="3.0", minimumMemoryInMB=4096)
        fleet.add(1, facts={**FACTS.model_dump(mode="json"), "memory_in_mb": 8192})
        found = api.post("/v1/rollouts/plan", json={"app": "Editor"}).json()
        assert (found["devices"], found["not_applicable"]) == (21, 20)
        assert found["unsuited"][0]["applicability"] == 1003
        assert found["unsuited"][0]["words"] == 'expected device.memoryInMB -ge "4096", found 2048'
        assert found["bytes"] == found["rings"][0]["bytes"] > 0

    def test_what_may_surprise_is_said(self, api: httpx.Client, fleet: RolledFleet) -> None:
        fleet.set_offline(fleet.ids[:5])
        fleet.plane.group("pilot")
        rings = [{"name": "pilot", "groups": ["pilot"]}, {"name": "all"}]
        found = api.post("/v1/rollouts/plan", json={"app": "Editor", "spec": {"rings": rings}}).json()
        assert found["warnings"] == ["ring pilot has no device", "5 of 20 devices are offline now"]

    def test_an_app_that_nobody_gets_has_nothing_to_roll_out(self, api: httpx.Client, fleet: RolledFleet) -> None:
        fleet.plane.publish(name="Viewer")
        found = api.post("/v1/rollouts/plan", json={"app": "Viewer"}).json()
        assert (found["devices"], found["bytes"], found["seconds"]) == (0, 0, 0.0)
        assert found["warnings"] == ["Viewer is not required on any device: assign it"]
