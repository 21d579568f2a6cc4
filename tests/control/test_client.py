"""The client: every answer that is none becomes the error it stands for."""

import httpx
import pytest

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError, OutriderError, TrustError, UnavailableError
from contract.uplink import Problem
from control.client.control_client import ControlClient


def client_answered_with(response: httpx.Response) -> ControlClient:
    return ControlClient("http://control.example", "token", transport=httpx.MockTransport(lambda _: response))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, ErrorCode.TOKEN_REFUSED, TrustError),
        (403, ErrorCode.FORBIDDEN, TrustError),
        (404, ErrorCode.UNKNOWN_APP, NotFoundError),
        (409, ErrorCode.NAME_TAKEN, InputError),
        (422, ErrorCode.DOCUMENT_INVALID, InputError),
        (503, ErrorCode.DATABASE_UNAVAILABLE, UnavailableError),
        (500, ErrorCode.API_ERROR, OutriderError),
    ],
)
def test_a_problem_is_the_error_it_stands_for(status: int, code: ErrorCode, kind: type[OutriderError]) -> None:
    problem = Problem(title=code.sentence, status=status, code=code.slug, detail="this", place="there")
    client = client_answered_with(httpx.Response(status, text=problem.model_dump_json()))
    with client, pytest.raises(OutriderError) as caught:
        list(client.apps())
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.detail, caught.value.place) == (code, "this", "there")


@pytest.mark.parametrize(
    ("status", "kind"), [(502, UnavailableError), (404, NotFoundError), (418, InputError), (500, OutriderError)]
)
def test_an_answer_of_somebody_elses_is_an_error_too(status: int, kind: type[OutriderError]) -> None:
    client = client_answered_with(httpx.Response(status, text="<html>a proxy's words</html>"))
    with client, pytest.raises(OutriderError) as caught:
        list(client.devices())
    assert type(caught.value) is kind
    assert caught.value.code is ErrorCode.API_ERROR


def test_a_problem_with_a_code_of_a_newer_server_is_understood_as_far_as_it_goes() -> None:
    problem = Problem(title="?", status=422, code="invented-later")
    client = client_answered_with(httpx.Response(422, text=problem.model_dump_json()))
    with client, pytest.raises(InputError):
        list(client.groups())


@pytest.mark.parametrize("text", ["{}", "not json", '{"name": 5}'])
def test_an_answer_that_is_not_understood_says_so(text: str) -> None:
    client = client_answered_with(httpx.Response(200, text=text))
    with client, pytest.raises(OutriderError, match="update the older side"):
        list(client.apps())


def test_an_address_where_nobody_answers_is_unavailable() -> None:
    with pytest.raises(UnavailableError) as caught, ControlClient("http://127.0.0.1:1", "token") as client:
        list(client.apps())
    assert caught.value.code is ErrorCode.API_UNAVAILABLE


@pytest.mark.parametrize("url", ["not an address", "ftp://control.example", "http://[bad", "http://", "127.0.0.1:80"])
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(InputError) as caught, ControlClient(url, "token") as client:
        list(client.apps())
    assert caught.value.code is ErrorCode.URL_INVALID
