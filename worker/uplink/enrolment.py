"""Joining the control plane: keys are made here and never leave the device."""

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.envelopes import SignedEnvelope, signers
from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.trusted_keys import TrustedKeys, first_trust
from contract.uplink import ENROLL_PATH, DeviceFacts, EnrollmentReply, EnrollmentRequest, proof_message
from worker.identity import Identity
from worker.uplink.transport import send


def enroll(
    client: httpx.Client, *, token: str, name: str, facts: DeviceFacts, root_key_id: str | None = None
) -> Identity:
    """Make the device's keys and have the control plane enrol it.

    Args:
        client: Its base URL is the control plane's.
        token: The enrolment token an operator handed out.
        name: The device's name for people.
        facts: What the device says of itself.
        root_key_id: A root key that must have signed the trusted keys; None trusts whatever the control plane says.

    Raises:
        UnavailableError: The control plane does not answer.
        TrustError: The token is refused, or the trusted keys are not signed by their root keys.
        DocumentError: The answer is not what an enrolment is answered with.
    """
    signer, unsealer = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    request = _request(signer, unsealer, token=token, name=name, facts=facts)
    headers = {"Content-Type": "application/json"}
    response = send(client, client.build_request("POST", ENROLL_PATH, content=request.to_json(), headers=headers))
    reply = EnrollmentReply.from_json(response.content)
    _check_trust(reply.trusted_keys, root_key_id)
    return Identity(
        device_id=reply.device_id,
        name=name,
        control_plane_url=str(client.base_url),
        signing_key=signer.private_bytes_raw(),
        sealing_key=unsealer.private_bytes_raw(),
        broker_url=reply.broker_url,
        broker_user=reply.broker_user,
        broker_secret=reply.broker_secret,
        trusted_keys=reply.trusted_keys,
        check_in_interval_seconds=reply.check_in_interval_seconds,
    )


def _check_trust(trusted_keys: SignedEnvelope, root_key_id: str | None) -> None:
    trusted = first_trust(trusted_keys)
    if root_key_id is not None and root_key_id not in signers(trusted_keys, TrustedKeys, trusted.roots):
        found = ", ".join(trusted.root_keys)
        raise TrustError(ErrorCode.TRUSTED_KEYS_REFUSED, detail=f"expected root key {root_key_id}, found {found}")


def _request(
    signer: Ed25519PrivateKey, unsealer: X25519PrivateKey, *, token: str, name: str, facts: DeviceFacts
) -> EnrollmentRequest:
    signing_key = signer.public_key().public_bytes_raw()
    sealing_key = unsealer.public_key().public_bytes_raw()
    proof = signer.sign(proof_message(token, name, signing_key, sealing_key))
    return EnrollmentRequest(
        token=token, name=name, signing_key=signing_key, sealing_key=sealing_key, proof=proof, facts=facts
    )
