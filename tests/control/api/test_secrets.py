"""Secrets through the API: operators put them in, devices get theirs, nobody else anything."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from contract.jobs import JobRef
from contract.sealing import unseal
from contract.uplink import SECRETS_PATH, Problem, SecretsReply, secret_context
from control.catalog.manifest_reader import validate_manifest
from control.catalog.publishing import publish_manifest
from control.database.tables import AuditEntry, Job
from control.roles import Role
from tests.control.plane import Plane, SignedDevice, manifest_data

Operator = Callable[[Role], dict[str, str]]
Enrolled = Callable[..., SignedDevice]

VALUE = "LIC-0123-4567-89AB"
SECRETS = (
    {"name": "editor-licence", "file": "licence"},
    {"name": "editor-password", "env": "PASSWORD", "command": "uninstall"},
)


@pytest.fixture
def put(client: httpx.Client, operator: Operator) -> Callable[..., httpx.Response]:
    """Set a secret as an administrator."""
    admin = operator(Role.ADMIN)

    def put(name: str = "editor-licence", value: Any = VALUE) -> httpx.Response:
        return client.put(f"/v1/secrets/{name}", json={"value": value}, headers=admin)

    return put


@pytest.fixture
def sent(plane: Plane, put: Callable[..., httpx.Response], enrolled: Enrolled) -> tuple[SignedDevice, JobRef]:
    """A device with a job whose command is given a secret."""
    put()
    put("editor-password")
    package = plane.services.packages.take(plane.package)
    with plane.services.database.transaction() as session:
        manifest = validate_manifest(manifest_data(secrets=list(SECRETS)))
        publish_manifest(session, manifest, package.digest, policies=plane.services.policies, now=plane.clock.now())
    device = enrolled(group_id=plane.group("desks"))
    plane.assign("desks")
    device.check_in()
    ((_, ref),) = plane.dispatch()
    return device, ref


def ask(device: SignedDevice, ref: JobRef) -> httpx.Response:
    path = SECRETS_PATH.format(job_id=ref.job_id)
    return device.request("POST", f"{path}?generation={ref.generation}")


def problem(response: httpx.Response) -> Problem:
    return Problem.model_validate_json(response.content)


def test_a_secret_is_set_listed_shown_and_deleted_and_never_answered(
    client: httpx.Client, operator: Operator, put: Callable[..., httpx.Response]
) -> None:
    admin = operator(Role.ADMIN)
    answers = [put(), put(value=VALUE + "!"), client.get("/v1/secrets", headers=admin)]
    answers += [client.get("/v1/secrets/editor-licence", headers=admin)]
    answers += [client.delete("/v1/secrets/editor-licence", headers=admin)]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200]
    assert [answers[index].json()["version"] for index in (0, 1, 3, 4)] == [1, 2, 2, 2]
    assert [item["name"] for item in answers[2].json()["items"]] == ["editor-licence"]
    assert not [answer for answer in answers if VALUE in answer.text]
    assert client.get("/v1/secrets/editor-licence", headers=admin).status_code == 404


@pytest.mark.parametrize(
    ("role", "method", "status"),
    [
        (Role.OPERATOR, "PUT", 403),
        (Role.OPERATOR, "DELETE", 403),
        (Role.VIEWER, "GET", 403),
        (Role.OPERATOR, "GET", 200),
    ],
)
def test_administrators_set_and_delete_and_operators_see_what_there_is(
    client: httpx.Client, operator: Operator, put: Callable[..., httpx.Response], role: Role, method: str, status: int
) -> None:
    put()
    body = {"value": VALUE} if method == "PUT" else None
    response = client.request(method, "/v1/secrets/editor-licence", headers=operator(role), json=body)
    assert response.status_code == status


@pytest.mark.parametrize("value", ["short", "x" * 32_001, "with\0nul", 5, None])
def test_a_value_that_cannot_be_kept_is_refused_and_not_repeated(
    put: Callable[..., httpx.Response], value: Any
) -> None:
    response = put(value=value)
    assert (response.status_code, problem(response).place) == (422, "value")
    assert "short" not in problem(response).detail.replace("too_short", "")
    assert "xxx" not in response.text


@pytest.mark.parametrize("name", ["a", "-a", "a%20b", "..%2fa", "a" * 101])
def test_a_name_that_is_none_is_refused(put: Callable[..., httpx.Response], name: str) -> None:
    assert put(name).status_code in {404, 422}


def test_each_change_is_audited_without_the_value(
    plane: Plane, client: httpx.Client, operator: Operator, put: Callable[..., httpx.Response]
) -> None:
    put()
    put(value="another value")
    client.delete("/v1/secrets/editor-licence", headers=operator(Role.ADMIN))
    with plane.services.database.snapshot() as session:
        entries = list(session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)))
    said = [(entry.action, entry.target, entry.after) for entry in entries]
    assert said == [
        ("secret.set", "editor-licence", '{"version": 1}'),
        ("secret.set", "editor-licence", '{"version": 2}'),
        ("secret.delete", "editor-licence", "null"),
    ]


def test_a_secret_that_an_app_asks_for_is_deleted_by_force_only(
    client: httpx.Client, operator: Operator, sent: tuple[SignedDevice, JobRef]
) -> None:
    admin = operator(Role.ADMIN)
    refused = client.delete("/v1/secrets/editor-licence", headers=admin)
    assert (refused.status_code, problem(refused).code) == (409, "secret-in-use")
    gone = client.delete("/v1/secrets/editor-licence", params={"force": True}, headers=admin)
    assert gone.json()["used_by"] == ["Editor"]


def test_the_device_of_the_job_opens_what_its_command_is_given_and_nothing_else(
    sent: tuple[SignedDevice, JobRef],
) -> None:
    device, ref = sent
    response = ask(device, ref)
    (secret,) = SecretsReply.from_json(response.content).secrets
    context = secret_context(ref.job_id, device.device_id, "editor-licence")
    assert (secret.name, secret.version) == ("editor-licence", 1)
    assert unseal(secret.sealed, device.unsealer, context).decode() == VALUE
    assert VALUE not in response.text


def test_a_rotated_secret_is_given_from_the_next_question_on(
    sent: tuple[SignedDevice, JobRef], put: Callable[..., httpx.Response]
) -> None:
    device, ref = sent
    put(value="another value")
    (secret,) = SecretsReply.from_json(ask(device, ref).content).secrets
    context = secret_context(ref.job_id, device.device_id, "editor-licence")
    assert (secret.version, unseal(secret.sealed, device.unsealer, context)) == (2, b"another value")


def test_another_device_gets_nothing(sent: tuple[SignedDevice, JobRef], enrolled: Enrolled) -> None:
    _, ref = sent
    response = ask(enrolled("desk-2"), ref)
    assert (response.status_code, problem(response).code) == (404, "unknown-job")


def test_a_void_generation_gets_nothing(plane: Plane, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    with plane.services.database.transaction() as session:
        session.get_one(Job, ref.job_id).generation = 2
    assert problem(ask(device, ref)).code == "unknown-job"
    assert ask(device, ref.model_copy(update={"generation": 2})).status_code == 200


def test_a_deleted_secret_is_named_to_the_device(
    client: httpx.Client, operator: Operator, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    client.delete("/v1/secrets/editor-licence", params={"force": True}, headers=operator(Role.ADMIN))
    response = ask(device, ref)
    assert (response.status_code, problem(response).code) == (404, "unknown-secret")
    assert "editor-licence" in problem(response).detail


def test_an_unsigned_question_is_refused(client: httpx.Client, sent: tuple[SignedDevice, JobRef]) -> None:
    _, ref = sent
    response = client.post(SECRETS_PATH.format(job_id=ref.job_id))
    assert (response.status_code, problem(response).code) == (401, "signature-refused")
