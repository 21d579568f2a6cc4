from uuid import uuid4

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PhaseError, UnavailableError
from contract.uplink import SecretsReply
from tests.worker.rig import Rig
from tests.worker.secrets.conftest import LICENCE, VALUES, NewJob, sealed
from worker.secrets.opening import open_secrets

_NAME = "editor-licence"


def test_what_the_policy_names_is_opened(rig: Rig, new_job: NewJob) -> None:
    ref, policy = new_job()
    assert open_secrets(rig.device, ref, policy) == VALUES


def test_a_policy_without_secrets_asks_for_nothing(rig: Rig) -> None:
    rig.uplink.available = False
    assert open_secrets(rig.device, rig.new_job(), rig.policy()) == {}


@pytest.mark.parametrize(
    "bound_to", [{"job_id": str(uuid4())}, {"device_id": str(uuid4())}, {"name": "editor-password"}]
)
def test_a_secret_sealed_for_something_else_is_refused(rig: Rig, new_job: NewJob, bound_to: dict[str, str]) -> None:
    ref, policy = new_job()
    others = rig.uplink.sealed_secrets[ref.job_id].secrets[1:]
    swapped = sealed(rig, ref, _NAME, LICENCE.encode(), bound_to)
    rig.uplink.sealed_secrets[ref.job_id] = SecretsReply(secrets=(swapped, *others))
    with pytest.raises(PhaseError) as caught:
        open_secrets(rig.device, ref, policy)
    assert (caught.value.code, caught.value.place) == (ErrorCode.SECRET_REFUSED, _NAME)


@pytest.mark.parametrize("value", [b"\xff\xfe not text", b"with\0nul"])
def test_what_no_command_can_be_given_is_refused_without_showing_it(rig: Rig, new_job: NewJob, value: bytes) -> None:
    ref, policy = new_job()
    others = rig.uplink.sealed_secrets[ref.job_id].secrets[1:]
    rig.uplink.sealed_secrets[ref.job_id] = SecretsReply(secrets=(sealed(rig, ref, _NAME, value), *others))
    with pytest.raises(PhaseError) as caught:
        open_secrets(rig.device, ref, policy)
    assert caught.value.code is ErrorCode.SECRET_REFUSED
    assert caught.value.__cause__ is None
    assert "not text" not in str(caught.value)


def test_an_answer_that_lacks_one_is_an_error_with_its_name(rig: Rig, new_job: NewJob) -> None:
    ref, policy = new_job()
    kept = rig.uplink.sealed_secrets[ref.job_id].secrets[1:]
    rig.uplink.sealed_secrets[ref.job_id] = SecretsReply(secrets=kept)
    with pytest.raises(PhaseError) as caught:
        open_secrets(rig.device, ref, policy)
    assert (caught.value.code, caught.value.place) == (ErrorCode.SECRET_UNAVAILABLE, _NAME)


def test_a_secret_that_is_gone_fails_the_attempt_and_a_retry_can_help(rig: Rig, new_job: NewJob) -> None:
    ref, policy = new_job()
    del rig.uplink.sealed_secrets[ref.job_id]
    with pytest.raises(PhaseError) as caught:
        open_secrets(rig.device, ref, policy)
    assert caught.value.code is ErrorCode.SECRET_UNAVAILABLE
    assert caught.value.code.retry_helps


def test_a_silent_control_plane_is_asked_again(rig: Rig, new_job: NewJob) -> None:
    ref, policy = new_job()
    rig.uplink.available = False
    with pytest.raises(UnavailableError) as caught:
        open_secrets(rig.device, ref, policy)
    assert caught.value.code is ErrorCode.SECRET_UNAVAILABLE
