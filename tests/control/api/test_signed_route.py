"""Routes that are called with the signed request alone are as strict as others, and described as fully."""

import httpx
import pytest

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.uplink import CONTENT_INFO_PATH, POLICY_PATH, REPORTS_PATH, Problem
from tests.control.plane import SignedDevice

OF_A_JOB = (("GET", POLICY_PATH), ("POST", CONTENT_INFO_PATH))


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
@pytest.mark.parametrize("generation", ["0", "-1", "", "one", "1.5", "9" * 5000])
def test_a_generation_that_is_none_is_refused_by_its_name(
    sent: tuple[SignedDevice, JobRef], method: str, path: str, generation: str
) -> None:
    device, job = sent
    answer = device.request(method, f"{path.format(job_id=job.job_id)}?generation={generation}")
    problem = Problem.model_validate_json(answer.content)
    assert (answer.status_code, problem.code) == (422, ErrorCode.DOCUMENT_INVALID.slug)
    assert problem.place == "query.generation"
    assert "integer" in problem.detail or "greater" in problem.detail


@pytest.mark.parametrize(("method", "path"), OF_A_JOB)
@pytest.mark.parametrize("query", ["", "?generation=1"])
def test_a_job_may_be_asked_about_with_and_without_its_generation(
    sent: tuple[SignedDevice, JobRef], method: str, path: str, query: str
) -> None:
    device, job = sent
    assert device.request(method, f"{path.format(job_id=job.job_id)}{query}").status_code == 200


@pytest.mark.parametrize(("method", "path"), [*OF_A_JOB, ("POST", REPORTS_PATH)])
def test_whoever_did_not_sign_hears_of_nothing_but_the_signature(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, f"{path.format(job_id='no-job')}?generation=0", content=b"no report")
    assert answer.status_code == 401
    assert Problem.model_validate_json(answer.content).code == ErrorCode.SIGNATURE_REFUSED.slug


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("get", POLICY_PATH, {"job_id", "generation", "if-none-match"}),
        ("post", CONTENT_INFO_PATH, {"job_id", "generation"}),
    ],
)
def test_what_is_taken_from_the_request_is_in_the_description(
    client: httpx.Client, method: str, path: str, names: set[str]
) -> None:
    route = client.get("/openapi.json").json()["paths"][path][method]
    assert {parameter["name"] for parameter in route["parameters"]} == names
