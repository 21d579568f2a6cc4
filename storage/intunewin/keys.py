"""The secrets of one package: fresh at random, or derived for a reproducible build (package 1.2)."""

import secrets
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ConfigDict, Field

from storage.intunewin.metadata import Iv16, Key32

_KEY_BYTES = 32
_IV_BYTES = 16
_DERIVATION = b"outrider intunewin content keys v1"


class ContentKeys(BaseModel):
    """What one package is encrypted with.

    Attributes:
        encryption_key: The AES-256 key.
        mac_key: The HMAC-SHA256 key, independent of it.
        initialization_vector: The CBC initialization vector.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    encryption_key: Key32 = Field(repr=False)
    mac_key: Key32 = Field(repr=False)
    initialization_vector: Iv16

    @classmethod
    def fresh(cls) -> Self:
        """Random keys, as every package that need not be reproducible gets."""
        return cls._split(secrets.token_bytes(2 * _KEY_BYTES + _IV_BYTES))

    @classmethod
    def derived(cls, secret: bytes, content_digest: bytes) -> Self:
        """Keys that depend on a secret and the SHA-256 of the plain content alone (HKDF-SHA256, RFC 5869).

        Two different contents never share keys, so deriving leaks nothing that random keys would not.
        """
        length = 2 * _KEY_BYTES + _IV_BYTES
        return cls._split(HKDF(SHA256(), length, salt=content_digest, info=_DERIVATION).derive(secret))

    @classmethod
    def _split(cls, material: bytes) -> Self:
        return cls(
            encryption_key=material[:_KEY_BYTES],
            mac_key=material[_KEY_BYTES : 2 * _KEY_BYTES],
            initialization_vector=material[2 * _KEY_BYTES :],
        )
