"""Signed documents: the exact bytes that were signed, and who signed them."""

import hashlib
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field

from contract.documents import Document, Fragment

#: Hex digits of a key id: half of a SHA-256, so that nobody makes a second key for an id.
KEY_ID_LENGTH: Final = 32
KEY_ID_PATTERN: Final = rf"^[0-9a-f]{{{KEY_ID_LENGTH}}}$"
#: No document has more; each costs a verification.
_MAX_SIGNATURES: Final = 32


class Signature(Fragment):
    """An Ed25519 signature and the id of its key."""

    key_id: str
    signature: bytes


class SignedEnvelope(Document):
    """A document as it was signed.

    The payload's bytes are kept as they are, so that no two programs need agree on how to write JSON. Without
    signatures it is a draft that somebody is yet to sign.
    """

    payload: bytes
    signatures: tuple[Signature, ...] = Field(max_length=_MAX_SIGNATURES)


def key_id_of(public_key: bytes) -> str:
    """The id of a raw Ed25519 public key: the beginning of its SHA-256; a key has one id and cannot pass for two."""
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_LENGTH]


def draft(document: Document) -> SignedEnvelope:
    """The document in an envelope that nobody has signed."""
    return SignedEnvelope(payload=document.to_json().encode(), signatures=())


def sign(document: Document, *keys: Ed25519PrivateKey) -> SignedEnvelope:
    """The document, signed with each key."""
    envelope = draft(document)
    for key in keys:
        envelope = countersigned(envelope, type(document), key)
    return envelope


def countersigned(envelope: SignedEnvelope, kind: type[Document], key: Ed25519PrivateKey) -> SignedEnvelope:
    """The envelope with one more signature; the key's earlier one is replaced."""
    key_id = key_id_of(key.public_key().public_bytes_raw())
    return with_signature(envelope, Signature(key_id=key_id, signature=key.sign(signed_bytes(kind, envelope.payload))))


def with_signature(envelope: SignedEnvelope, signature: Signature) -> SignedEnvelope:
    """The envelope with one more signature; the key's earlier one is replaced."""
    others = tuple(one for one in envelope.signatures if one.key_id != signature.key_id)
    return envelope.model_copy(update={"signatures": (*others, signature)})


def signed_bytes(kind: type[Document], payload: bytes) -> bytes:
    """What is signed: the payload behind its kind, so that no document passes for one of another kind."""
    return f"outrider-{kind.__name__.lower()}-1\0".encode() + payload


def signers(envelope: SignedEnvelope, kind: type[Document], keys: Mapping[str, Ed25519PublicKey]) -> frozenset[str]:
    """Which of `keys` signed the envelope as a document of that kind; each counts once."""
    message = signed_bytes(kind, envelope.payload)
    return frozenset(one.key_id for one in envelope.signatures if _holds(one, message, keys))


def _holds(signature: Signature, message: bytes, keys: Mapping[str, Ed25519PublicKey]) -> bool:
    key = keys.get(signature.key_id)
    if key is None:
        return False
    try:
        key.verify(signature.signature, message)
    except InvalidSignature:
        return False
    return True
