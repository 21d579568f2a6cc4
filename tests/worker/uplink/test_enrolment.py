from uuid import uuid4

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contract.envelopes import sign
from contract.error_codes import ErrorCode
from contract.errors import TrustError, UnavailableError
from contract.trusted_keys import first_trust
from contract.uplink import EnrollmentReply, EnrollmentRequest, proof_message
from tests.support.trust import Roots, by_id, key_id
from tests.worker.rig import Rig
from tests.worker.uplink.server import Answer, Server
from worker.identity import Identity
from worker.settings import AgentSettings
from worker.uplink.enrolment import enroll
from worker.uplink.transport import http_client

pytestmark = pytest.mark.integration

REPLY = EnrollmentReply(
    device_id=str(uuid4()),
    broker_url="redis://127.0.0.1:1/0",
    broker_user="device.x",
    broker_secret="broker-secret",
    trusted_keys=Roots().signed(1, {}),
    check_in_interval_seconds=120,
)


def _enroll(server: Server, settings: AgentSettings, rig: Rig, root_key_id: str | None = None) -> Identity:
    facts = rig.device.machine.platform.facts()
    with http_client(settings, base_url=server.url) as client:
        return enroll(client, token="token", name="desk-1", facts=facts, root_key_id=root_key_id)


def test_the_device_proves_that_it_holds_its_keys(server: Server, settings: AgentSettings, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    identity = _enroll(server, settings, rig)
    request = EnrollmentRequest.from_json(server.asked[0].body)
    message = proof_message("token", "desk-1", request.signing_key, request.sealing_key)
    Ed25519PublicKey.from_public_bytes(request.signing_key).verify(request.proof, message)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(request.signing_key).verify(request.proof, message + b"x")
    assert identity.signer.public_key().public_bytes_raw() == request.signing_key
    assert identity.unsealer.public_key().public_bytes_raw() == request.sealing_key


def test_private_keys_never_leave_the_device(server: Server, settings: AgentSettings, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    identity = _enroll(server, settings, rig)
    request = EnrollmentRequest.from_json(server.asked[0].body)
    assert identity.signing_key not in {request.signing_key, request.sealing_key, request.proof}
    assert identity.sealing_key not in {request.signing_key, request.sealing_key, request.proof}


def test_the_identity_holds_what_the_control_plane_gave(server: Server, settings: AgentSettings, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    identity = _enroll(server, settings, rig)
    assert identity.device_id == REPLY.device_id
    assert identity.broker_secret == "broker-secret"
    assert identity.trusted_keys == REPLY.trusted_keys
    assert identity.check_in_interval_seconds == 120
    assert identity.control_plane_url.rstrip("/") == server.url


def test_a_refused_token_is_said(server: Server, settings: AgentSettings, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(401, b'{"title": "no", "status": 401, "code": "token-refused"}')
    with pytest.raises(TrustError, match="token"):
        _enroll(server, settings, rig)


def test_a_control_plane_that_is_down_is_said(server: Server, settings: AgentSettings, rig: Rig) -> None:
    server.answer = lambda _asked: Answer(503)
    with pytest.raises(UnavailableError):
        _enroll(server, settings, rig)


def test_trusted_keys_that_their_root_key_did_not_sign_are_not_pinned(
    server: Server, settings: AgentSettings, rig: Rig
) -> None:
    forged = sign(Roots().version(1, {}), Ed25519PrivateKey.generate())
    server.answer = lambda _asked: Answer(body=REPLY.model_copy(update={"trusted_keys": forged}).to_json().encode())
    with pytest.raises(TrustError) as refused:
        _enroll(server, settings, rig)
    assert refused.value.code is ErrorCode.TRUSTED_KEYS_REFUSED


def test_a_root_key_that_was_named_must_have_signed(server: Server, settings: AgentSettings, rig: Rig) -> None:
    roots, other = Roots(), Ed25519PrivateKey.generate()
    # Named beside the attacker's own key, as one of which a single one has to sign.
    named_only = sign(roots.version(1, {}, root_keys=by_id(roots.key, other)), other)
    answers = iter((named_only, roots.signed(1, {})))
    server.answer = lambda _asked: Answer(
        body=REPLY.model_copy(update={"trusted_keys": next(answers)}).to_json().encode()
    )
    with pytest.raises(TrustError, match="expected root key"):
        _enroll(server, settings, rig, key_id(roots.key))
    assert first_trust(_enroll(server, settings, rig, key_id(roots.key)).trusted_keys).version == 1
