"""Sealing a secret to one recipient: HPKE (RFC 9180) over X25519, HKDF-SHA256 and AES-256-GCM."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from contract.error_codes import ErrorCode
from contract.errors import TrustError

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal(secret: bytes, recipient: X25519PublicKey, context: bytes) -> bytes:
    """Encrypt a secret so that only `recipient`, and only for the same `context`, can open it."""
    return _SUITE.encrypt(secret, recipient, info=context)


def unseal(sealed: bytes, recipient: X25519PrivateKey, context: bytes) -> bytes:
    """Open what was sealed to this key for this context.

    Raises:
        TrustError: It was sealed to another key, for another context, or was changed.
    """
    try:
        return _SUITE.decrypt(sealed, recipient, info=context)
    except (InvalidTag, ValueError) as error:
        raise TrustError(ErrorCode.SEAL_BROKEN) from error
