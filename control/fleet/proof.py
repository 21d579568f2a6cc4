"""Whether a device holds the keys it names."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from contract.error_codes import ErrorCode
from contract.errors import TrustError


def check_keys(signing_key: bytes, sealing_key: bytes, proof: bytes, message: bytes) -> None:
    """Check a device's new keys.

    Args:
        signing_key: Its raw Ed25519 public key.
        sealing_key: Its raw X25519 public key.
        proof: The signature over `message`, made with the signing key.
        message: What binds both keys to the occasion.

    Raises:
        TrustError: A key is none, or the proof does not hold.
    """
    try:
        # Keys of small order pass for keys until something is to be sealed to them.
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(sealing_key))
        Ed25519PublicKey.from_public_bytes(signing_key).verify(proof, message)
    except (InvalidSignature, ValueError) as error:
        detail = "a key is none, or the proof is not made with the signing key it names"
        raise TrustError(ErrorCode.SIGNATURE_REFUSED, detail=detail) from error
