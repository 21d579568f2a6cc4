"""Long lists: every entry once, whatever comes and goes between two pages; a cursor of another list is refused."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from control.database.tables import Role
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]

#: Each list with a query of its own, so that each is walked by its own keys.
LISTS = [
    "/v1/apps",
    "/v1/groups",
    "/v1/groups/desks/members",
    "/v1/devices",
    "/v1/assignments",
    "/v1/status",
    "/v1/tokens",
    "/v1/audit",
]


@pytest.fixture
def admin(client: httpx.Client, operator: Callable[[Role], dict[str, str]]) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


@pytest.fixture
def full(plane: Plane, admin: httpx.Client, enrolled: Enrolled, operator: Callable[[Role], dict[str, str]]) -> None:
    """Five of everything."""
    names = ["a", "B", "ä", "b", "c d"]
    group_id = plane.group("desks")
    for name in names:
        plane.publish(name=name)
        admin.post("/v1/groups", json={"name": name})
        enrolled(name, group_id)
        plane.assign("desks", app=name)
        operator(Role.VIEWER)
    plane.plan()


def walk(client: httpx.Client, path: str, limit: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        page = client.get(path, params=params).json()
        assert len(page["items"]) <= limit
        entries += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return entries


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_put_together_are_the_whole_list(admin: httpx.Client, path: str, limit: int) -> None:
    whole = admin.get(path, params={"limit": 1000}).json()
    assert len(whole["items"]) >= 5
    assert whole["next_cursor"] is None
    assert walk(admin, path, limit) == whole["items"]


def test_what_comes_and_goes_between_two_pages_hides_and_repeats_nothing(plane: Plane, admin: httpx.Client) -> None:
    for name in ("b", "d", "f", "h"):
        plane.group(name)
    first = admin.get("/v1/groups", params={"limit": 2}).json()
    plane.group("a")
    plane.group("e")
    second = admin.get("/v1/groups", params={"limit": 10, "cursor": first["next_cursor"]}).json()
    assert [group["name"] for group in first["items"] + second["items"]] == ["b", "d", "e", "f", "h"]


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "?",
        "ä",
        "AAAA",
        encoded("[]"),
        encoded("null"),
        encoded('["Group.name"]'),
        encoded('["Group.name",1]'),
        encoded('["Group.name",null]'),
        encoded('["Group.name","a","b"]'),
        encoded('["Device.name","a"]'),
        encoded('["Group.name",'),
    ],
)
def test_a_cursor_that_the_list_never_gave_is_refused(admin: httpx.Client, cursor: str) -> None:
    response = admin.get("/v1/groups", params={"cursor": cursor})
    assert (response.status_code, response.json()["code"]) == (422, "cursor-invalid")


@pytest.mark.parametrize(
    "values",
    ['["AuditEntry.sequence",99999999999999999999]', '["AuditEntry.sequence",-99999999999999999999]'],
)
def test_a_number_that_no_column_holds_is_refused(admin: httpx.Client, values: str) -> None:
    assert admin.get("/v1/audit", params={"cursor": encoded(values)}).json()["code"] == "cursor-invalid"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:00", "2026-01-01T00:00:00", "yesterday"])
def test_a_moment_that_no_column_holds_is_refused(admin: httpx.Client, moment: str) -> None:
    cursor = encoded(f'["OperatorToken.created_at OperatorToken.id","{moment}","x"]')
    assert admin.get("/v1/tokens", params={"cursor": cursor}).json()["code"] == "cursor-invalid"


@pytest.mark.usefixtures("full")
def test_a_cursor_of_another_list_is_refused(admin: httpx.Client) -> None:
    cursor = admin.get("/v1/apps", params={"limit": 1}).json()["next_cursor"]
    response = admin.get("/v1/groups", params={"cursor": cursor})
    assert (response.status_code, response.json()["detail"]) == (422, "it belongs to another list")


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", ""])
def test_a_page_has_1_to_1000_entries(admin: httpx.Client, limit: str) -> None:
    response = admin.get("/v1/groups", params={"limit": limit})
    assert (response.status_code, response.json()["place"]) == (422, "query.limit")
