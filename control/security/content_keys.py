"""Content keys at rest: wrapped by a key-encryption key that is a file outside the database (AES-KW, RFC 3394)."""

import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from control.security.key_files import ensure_key_file, read_key_file

_FILE_NAME: Final = "key-encryption.key"
_KEY_BYTES: Final = 32


class ContentKeys:
    """Wraps content keys for the database and unwraps them for one device at a time."""

    def __init__(self, key_encryption_key: bytes) -> None:
        self._key = key_encryption_key

    @classmethod
    def load(cls, state_dir: Path) -> "ContentKeys":
        """With the key-encryption key of this state folder.

        Raises:
            InputError: There is no usable key file.
        """
        return cls(read_key_encryption_key(state_dir))

    def wrap(self, content_key: bytes) -> bytes:
        """The content key as it may stand in the database."""
        return aes_key_wrap(self._key, content_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """The content key.

        Raises:
            TrustError: It was wrapped with another key or was changed.
        """
        try:
            return aes_key_unwrap(self._key, wrapped)
        except InvalidUnwrap as error:
            detail = "the key-encryption key is not the one this content key was wrapped with"
            raise TrustError(ErrorCode.SEAL_BROKEN, detail=detail) from error


def read_key_encryption_key(state_dir: Path) -> bytes:
    """The key-encryption key; keys for other purposes are derived from it.

    Raises:
        InputError: There is no usable key file.
    """
    return read_key_file(state_dir / _FILE_NAME, size=_KEY_BYTES)


def ensure_key_encryption_key(state_dir: Path) -> bool:
    """Make the key-encryption key unless it is there.

    Returns:
        Whether it was made now.
    """
    return ensure_key_file(state_dir / _FILE_NAME, secrets.token_bytes(_KEY_BYTES))
