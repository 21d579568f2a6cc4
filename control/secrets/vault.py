"""Secrets at rest: AES-256-GCM under a key derived from the key-encryption key, bound to name and version."""

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from control.security.content_keys import read_key_encryption_key

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"outrider-installer-secrets-1"


class SecretVault:
    """Wraps secrets for the database; who reads or writes there alone can neither open nor exchange them."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def load(cls, state_dir: Path) -> "SecretVault":
        """With a key derived from the key-encryption key of this state folder.

        Raises:
            InputError: There is no usable key file.
        """
        derivation = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_PURPOSE)
        return cls(derivation.derive(read_key_encryption_key(state_dir)))

    def wrap(self, name: str, version: int, value: str) -> bytes:
        """The value as it may stand in the database."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, value.encode(), _context(name, version))

    def unwrap(self, name: str, version: int, wrapped: bytes) -> str:
        """The value.

        Raises:
            TrustError: It was wrapped with another key, for another name or version, or was changed.
        """
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, sealed, _context(name, version)).decode()
        except (InvalidTag, ValueError) as error:
            detail = "it was wrapped with another key, for another name or version, or was changed"
            raise TrustError(ErrorCode.SEAL_BROKEN, place=name, detail=detail) from error


def _context(name: str, version: int) -> bytes:
    return f"{name} {version}".encode()
