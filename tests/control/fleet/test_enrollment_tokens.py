"""Tokens to enrol with: listed by id, and revoked."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from control.roles import Role
from control.security.operator_tokens import create_operator_token
from tests.control.plane import Plane, SignedDevice

Headers = Callable[[Role], dict[str, str]]

PATH = "/v1/enrollment-tokens"


@pytest.fixture
def admin(operator: Headers) -> dict[str, str]:
    return operator(Role.ADMIN)


def ids(client: httpx.Client, headers: dict[str, str], **params: str) -> list[str]:
    answer = client.get(PATH, headers=headers, params=params)
    assert answer.status_code == 200
    return [token["id"] for token in answer.json()["items"]]


def test_a_token_is_listed_with_what_is_left_of_it_and_without_itself(
    plane: Plane, client: httpx.Client, admin: dict[str, str]
) -> None:
    plane.group("desks")
    made = client.post(PATH, json={"group": "desks", "uses": 2}, headers=admin).json()
    SignedDevice(client).enroll(made["token"])
    answer = client.get(PATH, headers=admin)
    (token,) = answer.json()["items"]
    assert (token["id"], token["group"], token["uses_left"], token["revoked_at"]) == (made["id"], "desks", 1, None)
    assert token["created_by"].startswith("test (")
    assert made["token"] not in answer.text


def test_only_tokens_that_are_good_are_listed_unless_all_are_asked_for(
    plane: Plane, client: httpx.Client, admin: dict[str, str]
) -> None:
    made = [client.post(PATH, json={"lifetime_seconds": life}, headers=admin).json() for life in (60, 9000, 9000, 9000)]
    SignedDevice(client).enroll(made[1]["token"])
    client.delete(f"{PATH}/{made[2]['id']}", headers=admin)
    plane.clock.advance(timedelta(minutes=2))
    assert ids(client, admin) == [made[3]["id"]]
    assert set(ids(client, admin, all="true")) == {token["id"] for token in made}


def test_nobody_enrols_with_a_revoked_token_and_who_has_stays(client: httpx.Client, admin: dict[str, str]) -> None:
    made = client.post(PATH, json={"uses": 5}, headers=admin).json()
    first = SignedDevice(client, "first")
    assert first.enroll(made["token"]).status_code == 200
    for _ in range(2):
        assert client.delete(f"{PATH}/{made['id']}", headers=admin).json()["revoked_at"] is not None
    assert SignedDevice(client, "second").enroll(made["token"]).status_code == 401
    assert first.check_in().status_code == 200
    found = client.get("/v1/audit", headers=admin).json()["items"]
    assert [entry["target"] for entry in found if entry["action"] == "enrollment.revoke"] == [made["id"]]


def test_an_unknown_token_is_said(client: httpx.Client, admin: dict[str, str]) -> None:
    answer = client.delete(f"{PATH}/nothing", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-token")


def test_a_confined_admin_sees_and_revokes_the_tokens_of_its_groups_only(
    plane: Plane, client: httpx.Client, admin: dict[str, str]
) -> None:
    own, _ = plane.group("own"), plane.group("other")
    mine, theirs, open_to_all = (
        client.post(PATH, json=body, headers=admin).json()["id"] for body in ({"group": "own"}, {"group": "other"}, {})
    )
    with plane.services.database.transaction() as session:
        token, _ = create_operator_token(
            session, name="eve", role=Role.ADMIN, lifetime=None, now=plane.clock.now(), group_ids=[own]
        )
    confined = {"Authorization": f"Bearer {token}"}
    assert ids(client, confined) == [mine]
    answers = [client.delete(f"{PATH}/{one}", headers=confined).status_code for one in (theirs, open_to_all, mine)]
    assert answers == [403, 403, 200]
