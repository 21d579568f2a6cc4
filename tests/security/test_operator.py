"""An operator of low role, or confined to some groups, as attacker."""

from collections.abc import Callable
from datetime import timedelta
from itertools import chain

import httpx
import pytest
from fastapi.routing import APIRoute

from control.api.app import ROUTERS, create_app
from control.api.guarded_route import RoleGuard
from control.database.tables import OperatorToken
from control.roles import Role
from control.security.operator_tokens import create_operator_token
from control.security.operators import Operator
from tests.control.plane import Plane, SignedDevice
from tests.security.conftest import RefusedBy

ATTACKER = "an operator"

ROLE = "does what its role does not allow"
SCOPE = "reaches devices of other groups"
VOID_TOKEN = "uses a token that expired or was revoked"

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]

#: Every route of the operators, the role it needs, and whether a token that is confined to groups may use it at all.
ROUTES = {
    "GET /metrics": (Role.VIEWER, False),
    "GET /v1/me": (Role.VIEWER, True),
    "GET /v1/apps": (Role.VIEWER, True),
    "GET /v1/apps/{name:path}": (Role.VIEWER, False),
    "GET /v1/assignments": (Role.VIEWER, True),
    "GET /v1/status": (Role.VIEWER, True),
    "GET /v1/groups": (Role.VIEWER, True),
    "GET /v1/groups/{name}": (Role.VIEWER, True),
    "GET /v1/groups/{name}/members": (Role.VIEWER, True),
    "GET /v1/devices": (Role.VIEWER, True),
    "GET /v1/devices/{name:path}": (Role.VIEWER, True),
    "GET /v1/devices/{name:path}/jobs": (Role.VIEWER, True),
    "GET /v1/jobs/{job_id}": (Role.VIEWER, True),
    "GET /v1/secrets": (Role.OPERATOR, False),
    "GET /v1/secrets/{name}": (Role.OPERATOR, False),
    "PUT /v1/secrets/{name}": (Role.ADMIN, False),
    "DELETE /v1/secrets/{name}": (Role.ADMIN, False),
    "POST /v1/packages": (Role.OPERATOR, False),
    "POST /v1/apps": (Role.OPERATOR, False),
    "POST /v1/assignments": (Role.OPERATOR, True),
    "POST /v1/groups": (Role.OPERATOR, False),
    "PUT /v1/groups/{name}/members/{device:path}": (Role.OPERATOR, True),
    "DELETE /v1/groups/{name}/members/{device:path}": (Role.OPERATOR, True),
    "POST /v1/jobs/retry": (Role.OPERATOR, True),
    "POST /v1/jobs/cancel": (Role.OPERATOR, True),
    "POST /v1/jobs/{job_id}/retry": (Role.OPERATOR, True),
    "POST /v1/jobs/{job_id}/cancel": (Role.OPERATOR, True),
    "POST /v1/enrollment-tokens": (Role.ADMIN, True),
    "GET /v1/enrollment-tokens": (Role.ADMIN, True),
    "GET /v1/enrollment-tokens/{token_id}": (Role.ADMIN, True),
    "DELETE /v1/enrollment-tokens/{token_id}": (Role.ADMIN, True),
    "POST /v1/devices/{name:path}/retire": (Role.ADMIN, True),
    "POST /v1/devices/{name:path}/replace": (Role.ADMIN, True),
    "GET /v1/tokens": (Role.ADMIN, False),
    "POST /v1/tokens": (Role.ADMIN, False),
    "GET /v1/tokens/{token_id}": (Role.ADMIN, False),
    "DELETE /v1/tokens/{token_id}": (Role.ADMIN, False),
    "GET /v1/audit": (Role.ADMIN, False),
    "GET /v1/audit/verdict": (Role.ADMIN, False),
    "GET /v1/apps/{name:path}/revisions": (Role.VIEWER, False),
    "GET /v1/apps/{name:path}/pin": (Role.VIEWER, False),
    "PUT /v1/apps/{name:path}/pin": (Role.OPERATOR, False),
    "DELETE /v1/apps/{name:path}/pin": (Role.OPERATOR, False),
    "POST /v1/apps/{name:path}/rollback": (Role.OPERATOR, False),
    "PUT /v1/groups/{name}/rule": (Role.OPERATOR, False),
    "GET /v1/groups/{name}/matches/{device:path}": (Role.VIEWER, True),
    "DELETE /v1/groups/{name}": (Role.OPERATOR, False),
    "PUT /v1/devices/{name:path}/site": (Role.OPERATOR, True),
    "GET /v1/assignments/{group}/{app:path}": (Role.VIEWER, True),
    "DELETE /v1/assignments/{group}/{app:path}": (Role.OPERATOR, True),
    "POST /v1/filters": (Role.OPERATOR, False),
    "GET /v1/filters": (Role.VIEWER, True),
    "GET /v1/filters/{name}": (Role.VIEWER, True),
    "PUT /v1/filters/{name}": (Role.OPERATOR, False),
    "DELETE /v1/filters/{name}": (Role.OPERATOR, False),
    "GET /v1/matches": (Role.VIEWER, True),
    "GET /v1/matches/{device:path}": (Role.VIEWER, True),
    "GET /v1/state": (Role.VIEWER, False),
    "POST /v1/changes": (Role.OPERATOR, False),
    "POST /v1/jobs/rerun-detection": (Role.OPERATOR, True),
    "POST /v1/jobs/{job_id}/rerun-detection": (Role.OPERATOR, True),
    "POST /v1/rollouts/plan": (Role.VIEWER, False),
    "POST /v1/rollouts": (Role.OPERATOR, False),
    "GET /v1/rollouts": (Role.VIEWER, False),
    "GET /v1/rollouts/{name:path}": (Role.VIEWER, False),
    "GET /v1/rollouts/{name:path}/devices": (Role.VIEWER, False),
    "GET /v1/rollouts/{name:path}/events": (Role.VIEWER, False),
    "POST /v1/rollouts/{name:path}/{action}": (Role.OPERATOR, False),
    "GET /v1/summary": (Role.VIEWER, True),
    "GET /v1/errors": (Role.VIEWER, True),
    "GET /v1/why": (Role.VIEWER, True),
    "POST /v1/devices/sync": (Role.OPERATOR, True),
    "GET /v1/events": (Role.VIEWER, True),
}
#: Nobody's word is needed to ask whether the API lives.
OPEN = {"GET /v1/health"}


def guards(route: APIRoute) -> list[RoleGuard]:
    return [one.call for one in route.dependant.dependencies if isinstance(one.call, RoleGuard)]


def routes() -> dict[str, APIRoute]:
    """The operators' routes; devices' are signed, and attacked in `device/`."""
    found = {}
    for route in chain.from_iterable(router.routes for router in ROUTERS):
        assert isinstance(route, APIRoute)
        if not route.path.startswith("/v1/device/"):
            found[f"{''.join(route.methods or ())} {route.path}"] = route
    return found


# --- roles ------------------------------------------------------------------------------------------------------------


def test_every_route_has_the_role_of_the_table() -> None:
    actual = {}
    for name, route in routes().items():
        if name not in OPEN:
            (guard,) = guards(route)
            actual[name] = (guard.role, guard.confined)
    assert actual == ROUTES


def test_every_described_route_is_in_the_table(plane: Plane) -> None:
    described = create_app(plane.services).openapi()["paths"]
    for path, methods in described.items():
        if not path.startswith("/v1/device/"):
            for method in methods:
                name = f"{method.upper()} {path}"
                assert name in {key.replace(":path", "") for key in (*ROUTES, *OPEN)}


@pytest.mark.attack(ROLE)
@pytest.mark.parametrize("name", ROUTES)
def test_a_role_too_low_is_refused(client: httpx.Client, operator: Headers, name: str, refused_by: RefusedBy) -> None:
    method, path = name.split()
    needed, _ = ROUTES[name]
    assert client.request(method, path, json={}).status_code == 401
    for role in Role:
        if not role.includes(needed):
            answer = client.request(method, path, json={}, headers=operator(role))
            assert answer.status_code == 403
            refused_by(answer.json()["code"])


@pytest.mark.guard_removed(ROLE)
def test_were_all_roles_the_same_a_viewer_would_make_tokens(
    client: httpx.Client, operator: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Role, "includes", lambda *_: True)
    asked = {"name": "me", "role": "admin"}
    assert client.post("/v1/tokens", json=asked, headers=operator(Role.VIEWER)).status_code == 201


def test_a_role_is_not_raised_by_asking(client: httpx.Client, operator: Headers) -> None:
    for role in (Role.VIEWER, Role.OPERATOR):
        answer = client.post("/v1/tokens", json={"name": "me", "role": "admin"}, headers=operator(role))
        assert answer.status_code == 403


# --- scopes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def confined(plane: Plane) -> Callable[[Role, str], dict[str, str]]:
    """The headers of an operator who is confined to a group."""

    def headers(role: Role, group_id: str) -> dict[str, str]:
        with plane.services.database.transaction() as session:
            token, _ = create_operator_token(
                session, name="local hero", role=role, lifetime=None, now=plane.clock.now(), group_ids=[group_id]
            )
        return {"Authorization": f"Bearer {token}"}

    return headers


Confined = Callable[[Role, str], dict[str, str]]


@pytest.mark.parametrize("name", [name for name, (_, confined) in ROUTES.items() if not confined])
def test_what_concerns_the_whole_fleet_is_closed_to_a_confined_token(
    plane: Plane, client: httpx.Client, confined: Confined, name: str
) -> None:
    method, path = name.split()
    headers = confined(Role.ADMIN, plane.group("desks"))
    assert client.request(method, path, json={}, headers=headers).status_code == 403


@pytest.mark.attack(SCOPE)
def test_a_confined_operator_sees_and_steers_only_its_own(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, confined: Confined, refused_by: RefusedBy
) -> None:
    plane.publish()
    own, other = plane.group("desks"), plane.group("servers")
    desk, server = enrolled("desk-1", own), enrolled("server-1", other)
    plane.assign("servers")
    plane.plan()
    ((_, ref),) = plane.dispatch()
    admin = confined(Role.ADMIN, own)
    assert [one["name"] for one in client.get("/v1/devices", headers=admin).json()["items"]] == ["desk-1"]
    assert [one["name"] for one in client.get("/v1/groups", headers=admin).json()["items"]] == ["desks"]
    assert client.get("/v1/status", headers=admin).json()["items"] == []
    assert client.get("/v1/assignments", headers=admin).json()["items"] == []
    forbidden = [
        client.post("/v1/jobs/cancel", json={"selection": {"group": "servers"}}, headers=admin),
        client.post("/v1/jobs/retry", json={"selection": {"app": "Editor"}}, headers=admin),
        client.get("/v1/devices/server-1", headers=admin),
        client.get("/v1/groups/servers", headers=admin),
        client.get(f"/v1/jobs/{ref.job_id}", headers=admin),
        client.post(f"/v1/jobs/{ref.job_id}/cancel", json={}, headers=admin),
        client.post(f"/v1/jobs/{ref.job_id}/retry", json={}, headers=admin),
        client.post("/v1/assignments", json={"app": "Editor", "group": "servers"}, headers=admin),
        # Pulling a foreign device into a group of one's own would give power over it.
        client.put(f"/v1/groups/desks/members/{server.device_id}", headers=admin),
        client.put(f"/v1/groups/servers/members/{desk.device_id}", headers=admin),
        client.delete(f"/v1/groups/servers/members/{server.device_id}", headers=admin),
        client.post("/v1/enrollment-tokens", json={"group": "servers"}, headers=admin),
        client.post("/v1/enrollment-tokens", json={}, headers=admin),
        client.post("/v1/devices/server-1/retire", headers=admin),
        client.post("/v1/devices/server-1/replace", json={}, headers=admin),
    ]
    assert [answer.status_code for answer in forbidden] == [403] * len(forbidden)
    refused_by(forbidden[0].json()["code"])
    assert client.post("/v1/assignments", json={"app": "Editor", "group": "desks"}, headers=admin).status_code == 201
    assert [one["group"] for one in client.get("/v1/assignments", headers=admin).json()["items"]] == ["desks"]
    plane.plan()
    assert [one["device"] for one in client.get("/v1/status", headers=admin).json()["items"]] == ["desk-1"]
    mine = {"selection": {"group": "desks"}}
    assert client.post("/v1/jobs/retry", json=mine, headers=admin).json()["matched"] == 1
    assert client.post("/v1/devices/desk-1/retire", headers=admin).status_code == 200


@pytest.mark.guard_removed(SCOPE)
def test_were_a_tokens_groups_forgotten_it_would_retire_any_device(
    plane: Plane, client: httpx.Client, enrolled: Enrolled, confined: Confined, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled("server-1", plane.group("servers"))
    admin = confined(Role.ADMIN, plane.group("desks"))
    assert client.post("/v1/devices/server-1/retire", headers=admin).status_code == 403
    monkeypatch.setattr(
        "control.api.guarded_route.Operator", lambda **facts: Operator(**facts | {"group_ids": frozenset()})
    )
    assert client.post("/v1/devices/server-1/retire", headers=admin).status_code == 200


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_made_listed_without_itself_and_revoked_at_once(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    plane.group("desks")
    admin = operator(Role.ADMIN)
    made = client.post(
        "/v1/tokens", json={"name": "eve", "role": "operator", "groups": ["desks"]}, headers=admin
    ).json()
    mine = {"Authorization": f"Bearer {made['token']}"}
    me = client.get("/v1/me", headers=mine).json()
    assert (me["name"], me["role"], me["groups"]) == ("eve", "operator", ["desks"])
    listed = client.get("/v1/tokens", headers=admin).text
    assert "eve" in listed
    assert made["token"] not in listed
    with plane.services.database.snapshot() as session:
        assert made["token"] not in str(session.get_one(OperatorToken, made["id"]).__dict__)
    assert client.delete(f"/v1/tokens/{made['id']}", headers=admin).status_code == 200
    assert client.get("/v1/me", headers=mine).status_code == 401
    assert client.delete("/v1/tokens/none", headers=admin).status_code == 404


@pytest.mark.attack(VOID_TOKEN)
def test_a_token_expires(plane: Plane, client: httpx.Client, operator: Headers, refused_by: RefusedBy) -> None:
    made = client.post("/v1/tokens", json={"name": "eve", "lifetime_seconds": 60}, headers=operator(Role.ADMIN)).json()
    mine = {"Authorization": f"Bearer {made['token']}"}
    assert client.get("/v1/me", headers=mine).status_code == 200
    plane.clock.advance(timedelta(seconds=60))
    answer = client.get("/v1/me", headers=mine)
    assert answer.status_code == 401
    refused_by(answer.json()["code"])


@pytest.mark.guard_removed(VOID_TOKEN)
def test_were_the_clock_turned_back_an_expired_token_would_work(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    made = client.post("/v1/tokens", json={"name": "eve", "lifetime_seconds": 60}, headers=operator(Role.ADMIN)).json()
    mine = {"Authorization": f"Bearer {made['token']}"}
    plane.clock.advance(timedelta(seconds=60))
    assert client.get("/v1/me", headers=mine).status_code == 401
    plane.clock.advance(timedelta(seconds=-60))
    assert client.get("/v1/me", headers=mine).status_code == 200
