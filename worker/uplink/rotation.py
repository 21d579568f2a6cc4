"""New keys for this device: signed in by the old ones, kept before they are sent."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.uplink import EnrollmentReply, KeyRotation, rotation_message
from worker.identity import Identity
from worker.uplink.port import Uplink


def with_new_keys(identity: Identity) -> Identity:
    """The identity with keys made now; nobody trusts them yet."""
    signer, unsealer = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    keys = {"signing_key": signer.private_bytes_raw(), "sealing_key": unsealer.private_bytes_raw()}
    # Validated anew: a copy would keep the old keys that were computed from these fields.
    return Identity.model_validate({**identity.model_dump(), **keys})


def rotate(current: Identity, renewed: Identity, uplink_of: Callable[[Identity], Uplink]) -> Identity:
    """Have the control plane trust the renewed keys instead of the current ones.

    An answer may have been lost the last time: then the control plane knows the renewed keys already. What the device
    trusts is not exchanged: it follows the chain of trusted keys, whatever the answer holds.

    Args:
        current: The identity whose keys were trusted last.
        renewed: The same with new keys; the caller has stored it.
        uplink_of: The way to the control plane as the device with that identity.

    Returns:
        The renewed identity with the new broker secret.

    Raises:
        UnavailableError: The control plane does not answer; the same may be tried again.
        TrustError: It trusts neither the current nor the renewed keys.
    """
    request = _request(renewed)
    try:
        reply = uplink_of(current).rotate_keys(request)
    except TrustError as error:
        if error.code is not ErrorCode.SIGNATURE_REFUSED:
            raise
        reply = uplink_of(renewed).rotate_keys(request)
    return _with_reply(renewed, reply)


def _request(renewed: Identity) -> KeyRotation:
    signing_key = renewed.signer.public_key().public_bytes_raw()
    sealing_key = renewed.unsealer.public_key().public_bytes_raw()
    proof = renewed.signer.sign(rotation_message(renewed.device_id, signing_key, sealing_key))
    return KeyRotation(signing_key=signing_key, sealing_key=sealing_key, proof=proof)


def _with_reply(renewed: Identity, reply: EnrollmentReply) -> Identity:
    given = reply.model_dump(include={"broker_url", "broker_user", "broker_secret"})
    return Identity.model_validate({**renewed.model_dump(), **given})
