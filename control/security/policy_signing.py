"""Signing policies: the port behind which a key file, a hardware module or a key service can stand."""

from collections.abc import Mapping
from typing import Protocol

from contract.envelopes import Signature, SignedEnvelope, draft, signed_bytes, with_signature
from contract.policy import Policy


class PolicySigner(Protocol):
    """Holds private keys and signs with them; what it holds need not be what devices trust."""

    def public_keys(self) -> Mapping[str, bytes]:
        """The raw Ed25519 public keys of the keys it holds, by their ids.

        Raises:
            UnavailableError: SIGNER_UNAVAILABLE: it does not answer.
            InputError: KEY_FILE_UNUSABLE: a key cannot be read.
        """
        ...

    def sign(self, key_id: str, message: bytes) -> bytes:
        """The Ed25519 signature of a message by one of its keys; several threads may ask at once.

        Raises:
            UnavailableError: SIGNER_UNAVAILABLE: it does not answer, refuses, or holds no such key.
            InputError: KEY_FILE_UNUSABLE: the key cannot be read.
        """
        ...


def sign_policy(policy: Policy, signer: PolicySigner, key_id: str) -> SignedEnvelope:
    """The policy in an envelope that one of the signer's keys signed.

    Raises:
        UnavailableError: See `PolicySigner.sign`.
        InputError: See `PolicySigner.sign`.
    """
    envelope = draft(policy)
    signature = signer.sign(key_id, signed_bytes(Policy, envelope.payload))
    return with_signature(envelope, Signature(key_id=key_id, signature=signature))
