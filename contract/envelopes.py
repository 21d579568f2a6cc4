"""Signed documents: the exact bytes that were signed, and who signed them."""

from collections.abc import Mapping
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from contract.documents import Document, Fragment
from contract.error_codes import ErrorCode
from contract.errors import TrustError

DocumentT = TypeVar("DocumentT", bound=Document)


class Signature(Fragment):
    """An Ed25519 signature and the id of its key."""

    key_id: str
    signature: bytes


class SignedEnvelope(Document):
    """A document as it was signed.

    The payload's bytes are kept as they are, so that no two programs need agree on how to write JSON.
    """

    payload: bytes
    signatures: tuple[Signature, ...] = Field(min_length=1)


def sign(document: Document, key: Ed25519PrivateKey, key_id: str) -> SignedEnvelope:
    """Sign a document; the signature also covers its kind, so that none passes for another."""
    payload = document.to_json().encode()
    signature = key.sign(_signed_bytes(type(document), payload))
    return SignedEnvelope(payload=payload, signatures=(Signature(key_id=key_id, signature=signature),))


def verify(envelope: SignedEnvelope, kind: type[DocumentT], keys: Mapping[str, Ed25519PublicKey]) -> DocumentT:
    """The document inside, if one of `keys` signed it as that kind.

    Raises:
        TrustError: No signature holds.
        DocumentError: It is signed, but not such a document.
    """
    signed_bytes = _signed_bytes(kind, envelope.payload)
    if not any(_holds(signature, signed_bytes, keys) for signature in envelope.signatures):
        found = ", ".join(signature.key_id for signature in envelope.signatures)
        detail = f"signed by {found}; trusted are {', '.join(sorted(keys)) or 'none'}"
        raise TrustError(ErrorCode.POLICY_UNTRUSTED, detail=detail, place=kind.__name__)
    return kind.from_json(envelope.payload)


def _signed_bytes(kind: type[Document], payload: bytes) -> bytes:
    return f"outrider-{kind.__name__.lower()}-1\0".encode() + payload


def _holds(signature: Signature, signed_bytes: bytes, keys: Mapping[str, Ed25519PublicKey]) -> bool:
    key = keys.get(signature.key_id)
    if key is None:
        return False
    try:
        key.verify(signature.signature, signed_bytes)
    except InvalidSignature:
        return False
    return True
