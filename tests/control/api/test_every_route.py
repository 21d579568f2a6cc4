"""Every route of the operators with nothing, with nonsense and without rights: clear words, and nothing is changed.

The routes come from the API's own description: one that is new is tried from its first day.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.uplink import Problem
from control.api.app import ROUTERS
from control.database.tables import Base, Role
from tests.control.plane import Plane, SignedDevice

Headers = Callable[[Role], dict[str, str]]
Sent = tuple[SignedDevice, JobRef]

#: A name that nothing has and that is hard on whoever handles it.
HOSTILE = "%00%0A..%2F%27%22;DROP%20TABLE%20jobs--%C3%A4%F0%9F%98%80"
#: Bodies that no route takes.
NONSENSE: dict[str, bytes] = {
    "no body": b"",
    "no json": b"{",
    "no object": b"[]",
    "nothing": b"null",
    "an unknown field": b'{"surprise": true}',
    "deep": b"[" * 5000 + b"]" * 5000,
    "no text": b'"\xff\xfe"',
    "a lone surrogate": b'{"name": "\\ud800"}',
    "a huge number": b'{"limit": ' + b"9" * 4000 + b"}",
}
#: A log of events that does not end by itself, and uploads, which have no JSON: tried in their own tests.
OTHER = {"/v1/events", "/v1/packages"}


def described() -> list[tuple[str, str, dict[str, Any]]]:
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    paths = app.openapi()["paths"].items()
    return [
        (method.upper(), path, route)
        for path, routes in paths
        for method, route in routes.items()
        if not path.startswith("/v1/device/") and path not in OTHER
    ]


EVERY = described()
CHANGING = [(method, path) for method, path, _ in EVERY if method != "GET"]
TAKING_BODIES = [(method, path) for method, path, route in EVERY if "requestBody" in route]
NAMING = [(method, path) for method, path, _ in EVERY if "{" in path]
LISTS = [path for _, path, route in EVERY if any(one["name"] == "cursor" for one in route.get("parameters", ()))]
#: Answered to anyone: whether the API lives.
OPEN = {"/v1/health"}


@pytest.fixture
def admin(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


def everything(plane: Plane) -> dict[str, list[str]]:
    """All rows of all tables, save the log of who asked what, and what a thread has yet to do at the broker."""
    with plane.services.database.snapshot() as session:
        return {table.name: _rows(session, table) for table in Base.metadata.sorted_tables if table.name not in _NOTES}


_NOTES = {"audit_entries", "kept_answers", "unsaved_broker_users"}


def _rows(session: Session, table: Any) -> list[str]:
    return sorted(str(row) for row in session.execute(select(table)))


def filled(path: str, name: str) -> str:
    while "{" in path:
        path = path[: path.index("{")] + name + path[path.index("}") + 1 :]
    return path


def problem(response: httpx.Response) -> Problem:
    assert response.headers["content-type"] == "application/problem+json", response.text
    found = Problem.model_validate_json(response.content)
    assert found.status == response.status_code
    assert found.title == ErrorCode.from_slug(found.code).sentence
    assert found.hint
    return found


@pytest.mark.parametrize(("method", "path"), TAKING_BODIES)
def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(
    plane: Plane, admin: httpx.Client, sent: Sent, method: str, path: str
) -> None:
    before = everything(plane)
    address = filled(path, sent[1].job_id if "job" in path else "desk-1")
    for words, body in NONSENSE.items():
        response = admin.request(method, address, content=body, headers={"Content-Type": "application/json"})
        assert response.status_code in {400, 404, 422}, f"{words}: {response.text}"
        problem(response)
    assert everything(plane) == before


@pytest.mark.parametrize(("method", "path"), NAMING)
def test_a_name_that_nothing_has_is_refused_and_changes_nothing(
    plane: Plane, admin: httpx.Client, sent: Sent, method: str, path: str
) -> None:
    assert sent
    before = everything(plane)
    response = admin.request(method, filled(path, HOSTILE), json={})
    assert response.status_code in {404, 405, 422}, response.text
    problem(response)
    assert everything(plane) == before


@pytest.mark.parametrize(("method", "path"), CHANGING)
def test_who_has_no_token_changes_nothing(plane: Plane, client: httpx.Client, method: str, path: str) -> None:
    before = everything(plane)
    response = client.request(method, filled(path, "x"), json={})
    assert response.status_code in {401, 422}
    problem(response)
    assert everything(plane) == before


@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in EVERY if path not in OPEN])
def test_who_has_no_token_reads_nothing(client: httpx.Client, method: str, path: str) -> None:
    response = client.request(method, filled(path, "x"))
    assert response.status_code in {401, 422}
    problem(response)


@pytest.mark.parametrize("path", [path for method, path, _ in EVERY if method == "GET" and "{" not in path])
def test_an_empty_fleet_is_no_error(admin: httpx.Client, path: str) -> None:
    response = admin.get(path)
    needs_more = response.status_code == 422 and path in {"/v1/why", "/v1/matches"}
    assert response.status_code == 200 or needs_more, response.text


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "cursor=x", "limit=1&cursor=%00", "limit=99999999999999999999"]
)
def test_a_list_refuses_a_page_that_cannot_be(admin: httpx.Client, path: str, query: str) -> None:
    response = admin.get(f"{filled(path, 'x')}?{query}")
    assert response.status_code in {404, 422}
    problem(response)


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PUT", "DELETE"])
def test_a_method_that_is_not_there_is_said_with_those_that_are(admin: httpx.Client, method: str) -> None:
    response = admin.request(method, "/v1/groups")
    assert (response.status_code, problem(response).code) == (405, "unknown-route")
    assert response.headers["Allow"]


def test_the_description_names_the_problem_of_each_route(client: httpx.Client) -> None:
    paths = json.loads(client.get("/openapi.json").content)["paths"]
    for path, routes in paths.items():
        for method, route in routes.items():
            assert "application/problem+json" in route["responses"]["default"]["content"], f"{method} {path}"
