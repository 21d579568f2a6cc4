"""A request sent twice with one key is carried out once, and its secrets stay with its sender."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from contract.error_codes import ErrorCode
from contract.errors import UnavailableError
from contract.uplink import MAX_BODY_BYTES
from control.database.tables import KeptAnswer, OperatorToken, Role
from control.idempotency.keeping import begin
from control.idempotency.keyed_request import KeyedRequest
from tests.control.plane import Plane

Headers = Callable[[Role], dict[str, str]]

TOKENS = "/v1/tokens"


@pytest.fixture
def admin(client: httpx.Client, operator: Headers) -> httpx.Client:
    client.headers.update(operator(Role.ADMIN))
    return client


def keyed(key: str = "a key") -> dict[str, str]:
    return {"Idempotency-Key": key}


def token_names(plane: Plane) -> list[str]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(OperatorToken.name).order_by(OperatorToken.name)))


def kept(plane: Plane) -> list[KeptAnswer]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(KeptAnswer)))


def test_the_same_request_again_has_the_same_answer_and_no_effect(plane: Plane, admin: httpx.Client) -> None:
    first, second = (admin.post(TOKENS, json={"name": "eve"}, headers=keyed()) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert (first.headers.get("Idempotency-Replayed"), second.headers["Idempotency-Replayed"]) == (None, "true")
    assert token_names(plane).count("eve") == 1


def test_without_a_key_it_is_carried_out_twice(plane: Plane, admin: httpx.Client) -> None:
    for _ in range(2):
        admin.post(TOKENS, json={"name": "eve"})
    assert token_names(plane).count("eve") == 2
    assert kept(plane) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [(TOKENS, {"name": "mallory"}), ("/v1/groups", {"name": "eve"}), (TOKENS + "?x=1", {"name": "eve"})],
)
def test_the_same_key_with_another_request_is_refused(
    plane: Plane, admin: httpx.Client, path: str, body: dict[str, str]
) -> None:
    admin.post(TOKENS, json={"name": "eve"}, headers=keyed())
    response = admin.post(path, json=body, headers=keyed())
    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")
    assert "mallory" not in token_names(plane)


def test_two_operators_may_choose_the_same_key(plane: Plane, client: httpx.Client, operator: Headers) -> None:
    for headers in (operator(Role.ADMIN), operator(Role.ADMIN)):
        assert client.post(TOKENS, json={"name": "eve"}, headers=headers | keyed()).status_code == 201
    assert token_names(plane).count("eve") == 2


def test_a_new_token_is_nowhere_in_the_database(plane: Plane, admin: httpx.Client) -> None:
    token = admin.post(TOKENS, json={"name": "eve"}, headers=keyed()).json()["token"]
    (row,) = kept(plane)
    assert row.sealed is not None
    assert token.encode() not in row.sealed


def test_a_revoked_token_reads_no_answer_that_was_kept(plane: Plane, client: httpx.Client, operator: Headers) -> None:
    headers = operator(Role.ADMIN)
    client.post(TOKENS, json={"name": "eve"}, headers=headers | keyed())
    me = client.get("/v1/me", headers=headers).json()["id"]
    client.delete(f"{TOKENS}/{me}", headers=headers)
    assert client.post(TOKENS, json={"name": "eve"}, headers=headers | keyed()).status_code == 401


def test_a_refusal_is_kept_as_well(plane: Plane, admin: httpx.Client) -> None:
    body = {"app": "Editor", "group": "desks"}
    assert admin.post("/v1/assignments", json=body, headers=keyed()).status_code == 404
    plane.publish()
    plane.group("desks")
    assert admin.post("/v1/assignments", json=body, headers=keyed()).status_code == 404
    assert admin.post("/v1/assignments", json=body, headers=keyed("another")).status_code == 201


def test_a_failure_of_this_side_is_tried_anew(
    plane: Plane, admin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_arguments: object, **_options: object) -> None:
        raise UnavailableError(ErrorCode.DATABASE_UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr("control.api.operator_fleet.create_group", down)
        assert admin.post("/v1/groups", json={"name": "desks"}, headers=keyed()).status_code == 503
    assert admin.post("/v1/groups", json={"name": "desks"}, headers=keyed()).status_code == 201


def test_while_the_first_is_being_carried_out_the_second_has_to_wait(plane: Plane, admin: httpx.Client) -> None:
    prepared = admin.build_request("POST", "/v1/groups", json={"name": "desks"}, headers=keyed())
    content = b"\0".join((b"POST", b"/v1/groups?", prepared.content))
    under_way = KeyedRequest(prepared.headers["authorization"].encode(), b"a key", content)
    assert begin(plane.services.database, under_way, plane.clock.now()) is None
    response = admin.send(prepared)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency-key-busy")
    plane.clock.advance(timedelta(minutes=3))
    assert admin.send(prepared).status_code == 201, "what was cut off is carried out anew"


def test_answers_are_forgotten_after_a_day(plane: Plane, admin: httpx.Client) -> None:
    admin.post("/v1/groups", json={"name": "desks"}, headers=keyed())
    plane.clock.advance(timedelta(days=1))
    plane.reconcile()
    assert len(kept(plane)) == 1
    plane.clock.advance(timedelta(seconds=1))
    plane.reconcile()
    assert kept(plane) == []


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_none_is_refused(plane: Plane, admin: httpx.Client, key: str) -> None:
    response = admin.post("/v1/groups", json={"name": "desks"}, headers=keyed(key))
    assert (response.status_code, response.json()["place"]) == (422, "Idempotency-Key")
    assert admin.get("/v1/groups/desks").status_code == 404


def test_who_has_no_token_leaves_nothing_behind(plane: Plane, client: httpx.Client) -> None:
    assert client.post(TOKENS, json={"name": "eve"}, headers=keyed()).status_code == 401
    assert kept(plane) == []


def test_a_body_that_is_too_large_is_refused_as_without_a_key(admin: httpx.Client) -> None:
    response = admin.post("/v1/groups", content=b" " * (MAX_BODY_BYTES + 1), headers=keyed(str(uuid4())))
    assert (response.status_code, response.json()["code"]) == (413, "request-too-large")
