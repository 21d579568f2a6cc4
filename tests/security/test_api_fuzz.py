"""The API, asked what its own description allows and what it does not: as nobody, as a device, as operators."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from pydantic import BaseModel
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from contract.report import Report
from contract.uplink import (
    CHECK_IN_PATH,
    ENROLL_PATH,
    KEYS_PATH,
    PROGRESS_PATH,
    REPORTS_PATH,
    CheckIn,
    EnrollmentRequest,
    KeyRotation,
    Problem,
    ProgressBatch,
)
from control.api.app import create_app
from control.database.tables import Role
from control.settings import ControlSettings
from tests.control.plane import Plane, SignedDevice
from tests.security.conftest import Fuzz

pytestmark = pytest.mark.timeout(600)

#: Requests for each route, asker, and way of making them.
EXAMPLES = 2
#: A device's routes read their bodies themselves, so the description does not say what is in them.
BODIES: Mapping[str, type[BaseModel]] = {
    ENROLL_PATH: EnrollmentRequest,
    KEYS_PATH: KeyRotation,
    CHECK_IN_PATH: CheckIn,
    PROGRESS_PATH: ProgressBatch,
    REPORTS_PATH: Report,
}
#: Answers that are no JSON.
_OTHER_MEDIA = frozenset({"/metrics"})
#: Answers that end only when who asked hangs up, which the client here cannot.
_ENDLESS = frozenset({"/v1/events"})

Operation = APIOperation[Any, Any, Any, Any]
AnyCase = Case[Any]
Ask = Callable[[str, str, bytes, dict[str, str]], httpx.Response]


def described(plane: Plane) -> dict[str, Any]:
    """The API's description, with the bodies of the devices' routes."""
    description: dict[str, Any] = json.loads(json.dumps(create_app(plane.services).openapi()))
    for path, model in BODIES.items():
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        description["components"]["schemas"].update(schema.pop("$defs", {}))
        body = {"content": {"application/json": {"schema": schema}}, "required": True}
        description["paths"][path]["post"]["requestBody"] = body
    return description


def operations(description: dict[str, Any]) -> Iterator[Operation]:
    schema = schemathesis.openapi.from_dict(description)
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path not in _ENDLESS:
            yield operation


@dataclass(frozen=True)
class Known:
    """Names that stand for something, so that requests come further than to "not found"."""

    names: tuple[str, ...]

    def in_place(self, draw: Callable[[Any], Any], path: str, parameters: Mapping[str, Any]) -> str:
        for name, value in (parameters or {}).items():
            chosen = draw(st.sampled_from([str(value), *self.names]))
            path = path.replace(f"{{{name}}}", quote(chosen, safe=""))
        return path


@pytest.fixture
def settings(settings: ControlSettings) -> ControlSettings:
    """Nobody is stopped for asking too much: that is another attack."""
    return settings.model_copy(update={"device_requests_per_second": 1e6, "device_request_burst": 1e6})


@pytest.fixture
def known(plane: Plane, enrolled: Callable[..., SignedDevice]) -> tuple[SignedDevice, Known]:
    """A device with a job, and the names around it."""
    plane.publish()
    device = enrolled("desk-1", plane.group("desks"))
    plane.assign("desks")
    plane.plan()
    ((device_id, ref),) = plane.dispatch()
    return device, Known(("Editor", "desks", "desk-1", device_id, ref.job_id, plane.app_id()))


def body_of(case: AnyCase) -> bytes:
    if isinstance(case.body, bytes):
        return case.body
    if type(case.body).__name__ == "NotSet":
        return b""
    return json.dumps(case.body).encode(errors="surrogatepass")


def query_of(case: AnyCase) -> str:
    return str(httpx.QueryParams({name: value for name, value in (case.query or {}).items() if value is not None}))


def assert_is_an_answer(answer: httpx.Response, operation: Operation) -> None:
    """Never a failure of the server; a refusal is a problem; what is granted is as described."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert Problem.model_validate_json(answer.content).status == answer.status_code
    elif answer.content and operation.path not in _OTHER_MEDIA:
        assert operation.is_valid_response(answer), answer.text


@dataclass
class Fuzzer:
    """Asks everything there is, as somebody.

    Attributes:
        asked: How many requests that were.
    """

    ask: Ask
    known: Known
    examples: int
    asked: int = 0

    def run(self, plane: Plane, mode: GenerationMode) -> int:
        for operation in operations(described(plane)):
            self._run_one(operation, mode)
        return self.asked

    def _run_one(self, operation: Operation, mode: GenerationMode) -> None:
        @hypothesis_settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            # The request that fails is small already; a smaller one would be looked for for five minutes.
            phases=(Phase.generate,),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def one(case: AnyCase, data: st.DataObject) -> None:
            self.asked += 1
            path = self.known.in_place(data.draw, operation.path, case.path_parameters)
            url = f"{path}?{query_of(case)}" if case.query else path
            answer = self.ask(case.method.upper(), url, body_of(case), {"Content-Type": "application/json"})
            assert_is_an_answer(answer, operation)

        # Where nothing can be said wrongly there is nothing to try.
        with suppress(Unsatisfiable):
            one()


#: What the roles between may is between the two ends: they are for longer runs.
ROLES = [
    pytest.param(None, id="nobody"),
    pytest.param(Role.VIEWER, id="viewer", marks=pytest.mark.long),
    pytest.param(Role.OPERATOR, id="operator", marks=pytest.mark.long),
    pytest.param(Role.ADMIN, id="admin"),
]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize("role", ROLES)
def test_operators_of_every_role_and_strangers_get_answers(
    plane: Plane,
    client: httpx.Client,
    operator: Callable[[Role], dict[str, str]],
    known: tuple[SignedDevice, Known],
    fuzz: Fuzz,
    role: Role | None,
    mode: GenerationMode,
) -> None:
    credentials = {} if role is None else operator(role)

    def ask(method: str, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return client.request(method, url, content=body, headers={**headers, **credentials})

    assert Fuzzer(ask, known[1], fuzz.times(EXAMPLES)).run(plane, mode) > 40


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
def test_a_device_gets_answers(
    plane: Plane, known: tuple[SignedDevice, Known], fuzz: Fuzz, mode: GenerationMode
) -> None:
    device, names = known
    assert Fuzzer(device.request, names, fuzz.times(EXAMPLES)).run(plane, mode) > 40


def test_without_an_answer_for_the_unexpected_a_failure_would_show(
    plane: Plane, client: httpx.Client, known: tuple[SignedDevice, Known], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checks themselves can fail."""

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("control.api.guarded_route.find_operator_token", broken)
    credentials = {"Authorization": "Bearer any"}

    def ask(method: str, url: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return client.request(method, url, content=body, headers={**headers, **credentials})

    with pytest.raises(AssertionError):
        Fuzzer(ask, known[1], 1).run(plane, GenerationMode.POSITIVE)
