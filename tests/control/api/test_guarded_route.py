"""The operator's token is looked at before anything of the body is read."""

from collections.abc import Callable, Iterator
from itertools import chain

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from control.api.app import ROUTERS
from control.api.body_limits import MAX_CHANGES_BYTES
from control.api.guarded_route import GuardedRoute, guarded_router, requires
from control.database.tables import KeptAnswer, Role
from tests.control.plane import Plane

Headers = Callable[[Role], dict[str, str]]

JSON = {"Content-Type": "application/json"}
PIECE = b"x" * (1 << 20)


class CountedBody:
    """A body that is no JSON, sent piece by piece.

    Attributes:
        taken: Pieces that were asked for.
    """

    def __init__(self) -> None:
        self.taken = 0

    def pieces(self) -> Iterator[bytes]:
        for _ in range(MAX_CHANGES_BYTES // len(PIECE)):
            self.taken += 1
            yield PIECE


def operators_routes() -> list[APIRoute]:
    routes = chain.from_iterable(router.routes for router in ROUTERS)
    found = [route for route in routes if isinstance(route, APIRoute)]
    return [route for route in found if not route.path.startswith("/v1/device/") and route.path != "/v1/health"]


TAKING_BODIES = sorted(
    (method, route.path.replace("{action}", "start"))
    for route in operators_routes()
    for method in route.methods or ()
    if route.body_field is not None or route.path == "/v1/packages"
)


@pytest.fixture
def body() -> CountedBody:
    return CountedBody()


def test_each_route_of_operators_is_guarded() -> None:
    assert [route.path for route in operators_routes() if not isinstance(route, GuardedRoute)] == []


@pytest.mark.parametrize(("method", "path"), TAKING_BODIES)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}, {"Idempotency-Key": "a"}])
def test_nothing_is_read_of_who_has_no_token(
    client: httpx.Client, body: CountedBody, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = client.request(method, path, content=body.pieces(), headers={**headers, **JSON})
    assert (answer.status_code, answer.json()["code"], body.taken) == (401, "token-refused", 0)


def test_nothing_is_read_of_who_may_not(
    plane: Plane, client: httpx.Client, operator: Headers, body: CountedBody
) -> None:
    headers = {**operator(Role.VIEWER), "Idempotency-Key": "a", **JSON}
    answer = client.post("/v1/changes", content=body.pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"], body.taken) == (403, "forbidden", 0)
    with plane.services.database.snapshot() as session:
        assert session.query(KeptAnswer).count() == 0


def test_who_may_is_told_what_is_wrong_with_the_body(
    client: httpx.Client, operator: Headers, body: CountedBody
) -> None:
    headers = {**operator(Role.OPERATOR), **JSON}
    answer = client.post("/v1/changes", content=body.pieces(), headers=headers)
    assert (answer.status_code, body.taken) == (422, MAX_CHANGES_BYTES // len(PIECE))


def test_a_route_whose_router_is_not_guarded_serves_nobody(
    plane: Plane, client: httpx.Client, operator: Headers
) -> None:
    unguarded, guarded = APIRouter(), guarded_router("test")
    app = client._transport.app  # type: ignore[attr-defined]  # the app under test
    assert isinstance(app, FastAPI)

    def answer() -> str:
        return "served"

    for router, path in ((unguarded, "/unguarded"), (guarded, "/guarded")):
        router.get(path, dependencies=[requires(Role.VIEWER)])(answer)
        app.include_router(router)
    assert client.get("/v1/guarded", headers=operator(Role.VIEWER)).json() == "served"
    assert client.get("/unguarded", headers=operator(Role.ADMIN)).status_code == 500
