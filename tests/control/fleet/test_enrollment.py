"""Enrolment: who gets in, how often, and what is left when something fails."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from contract.trusted_keys import first_trust
from contract.uplink import ENROLL_PATH, Problem, proof_message
from control.answers.devices import list_devices
from control.answers.pages import PageRequest
from control.database.tables import Device, EnrollmentToken
from tests.control.plane import Plane, SignedDevice

Enrolled = Callable[..., SignedDevice]


def problem(response: httpx.Response) -> Problem:
    return Problem.model_validate_json(response.content)


def devices(plane: Plane) -> list[Device]:
    with plane.services.database.snapshot() as session:
        return list(session.scalars(select(Device)))


def uses_left(plane: Plane) -> int:
    with plane.services.database.snapshot() as session:
        return session.scalars(select(EnrollmentToken.uses_left)).one()


def test_a_device_gets_what_it_needs_and_its_broker_user_is_live(plane: Plane, enrolled: Enrolled) -> None:
    reply = enrolled().reply
    assert reply is not None
    assert reply.broker_url == "redis://broker.example:6379/0"
    assert reply.broker_user == f"device.{reply.device_id}"
    assert plane.broker_users.secrets == {reply.device_id: reply.broker_secret}
    assert reply.check_in_interval_seconds == 600
    assert first_trust(reply.trusted_keys).version == 1


def test_a_device_is_put_into_the_tokens_group(plane: Plane, enrolled: Enrolled) -> None:
    group_id = plane.group("desks")
    device = enrolled(group_id=group_id)
    with plane.services.database.snapshot() as session:
        members = list_devices(session, plane.clock.now(), PageRequest(), [group_id])
    assert [member.id for member in members.items] == [device.device_id]


def test_a_token_is_good_for_its_uses_and_no_more(plane: Plane, client: httpx.Client) -> None:
    token = plane.token(uses=2)
    answers = [SignedDevice(client, f"desk-{number}").enroll(token) for number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert problem(answers[2]).code == "token-refused"
    assert len(devices(plane)) == 2


def test_an_expired_token_is_refused(plane: Plane, client: httpx.Client) -> None:
    token = plane.token(lifetime=timedelta(hours=1))
    plane.clock.advance(timedelta(hours=1))
    assert SignedDevice(client).enroll(token).status_code == 401
    assert devices(plane) == []


def test_an_unknown_token_is_refused(client: httpx.Client) -> None:
    response = SignedDevice(client).enroll("guessed")
    assert (response.status_code, problem(response).code) == (401, "token-refused")


def test_tokens_are_kept_only_as_hashes(plane: Plane) -> None:
    token = plane.token()
    with plane.services.database.snapshot() as session:
        stored = session.scalars(select(EnrollmentToken.token_hash)).one()
    assert token not in stored


@pytest.mark.parametrize("field", ["name", "sealing_key", "signing_key", "proof"])
def test_a_request_changed_on_the_way_is_refused(plane: Plane, client: httpx.Client, field: str) -> None:
    request = SignedDevice(client).enrollment(plane.token())
    changed = "another" if field == "name" else bytes(32 if field != "proof" else 64)
    response = client.post(ENROLL_PATH, content=request.model_copy(update={field: changed}).to_json())
    assert (response.status_code, problem(response).code) == (401, "signature-refused")
    assert uses_left(plane) == 1


def test_a_sealing_key_that_nothing_can_be_sealed_to_is_refused(plane: Plane, client: httpx.Client) -> None:
    device = SignedDevice(client)
    token, signing_key, sealing_key = plane.token(), device.signer.public_key().public_bytes_raw(), bytes(32)
    proof = device.signer.sign(proof_message(token, device.name, signing_key, sealing_key))
    request = device.enrollment(token).model_copy(update={"sealing_key": sealing_key, "proof": proof})
    assert client.post(ENROLL_PATH, content=request.to_json()).status_code == 401


def test_a_broker_that_is_down_leaves_the_token_unspent(plane: Plane, client: httpx.Client) -> None:
    token = plane.token()
    plane.broker_users.down = True
    response = SignedDevice(client).enroll(token)
    assert (response.status_code, problem(response).code) == (503, "broker-unavailable")
    assert problem(response).retry_helps
    assert devices(plane) == []
    plane.broker_users.down = False
    assert SignedDevice(client).enroll(token).status_code == 200


def test_a_device_whose_answer_was_lost_asks_again_and_is_still_one_device(plane: Plane, client: httpx.Client) -> None:
    token = plane.token()
    device = SignedDevice(client)
    device.enroll(token)
    first = device.reply
    device.enroll(token)
    assert first is not None
    assert device.reply is not None
    assert device.reply.device_id == first.device_id
    assert device.reply.broker_secret != first.broker_secret
    assert len(devices(plane)) == 1


def test_a_key_that_is_enrolled_gets_nothing_for_another_token(plane: Plane, enrolled: Enrolled) -> None:
    device = enrolled()
    assert device.enroll(plane.token()).status_code == 401


def test_a_retired_device_does_not_get_back_in_with_its_old_token(plane: Plane, client: httpx.Client) -> None:
    token = plane.token()
    device = SignedDevice(client)
    device.enroll(token)
    with plane.services.database.transaction() as session:
        session.get_one(Device, device.device_id).retired_at = plane.clock.now()
    assert device.enroll(token).status_code == 401
