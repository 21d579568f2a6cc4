"""Joining the control plane: keys are made here and never leave the device."""

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.uplink import ENROLL_PATH, DeviceFacts, EnrollmentReply, EnrollmentRequest, proof_message
from worker.identity import Identity
from worker.uplink.transport import send


def enroll(client: httpx.Client, *, token: str, name: str, facts: DeviceFacts) -> Identity:
    """Make the device's keys and have the control plane enrol it.

    Args:
        client: Its base URL is the control plane's.
        token: The enrolment token an operator handed out.
        name: The device's name for people.
        facts: What the device says of itself.

    Raises:
        UnavailableError: The control plane does not answer.
        TrustError: The token is refused.
        DocumentError: The answer is not what an enrolment is answered with.
    """
    signer, unsealer = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    request = _request(signer, unsealer, token=token, name=name, facts=facts)
    headers = {"Content-Type": "application/json"}
    response = send(client, client.build_request("POST", ENROLL_PATH, content=request.to_json(), headers=headers))
    reply = EnrollmentReply.from_json(response.content)
    return Identity(
        device_id=reply.device_id,
        name=name,
        control_plane_url=str(client.base_url),
        signing_key=signer.private_bytes_raw(),
        sealing_key=unsealer.private_bytes_raw(),
        broker_url=reply.broker_url,
        broker_user=reply.broker_user,
        broker_secret=reply.broker_secret,
        policy_keys=reply.policy_keys,
        check_in_interval_seconds=reply.check_in_interval_seconds,
    )


def _request(
    signer: Ed25519PrivateKey, unsealer: X25519PrivateKey, *, token: str, name: str, facts: DeviceFacts
) -> EnrollmentRequest:
    signing_key = signer.public_key().public_bytes_raw()
    sealing_key = unsealer.public_key().public_bytes_raw()
    proof = signer.sign(proof_message(token, name, signing_key, sealing_key))
    return EnrollmentRequest(
        token=token, name=name, signing_key=signing_key, sealing_key=sealing_key, proof=proof, facts=facts
    )
