"""Ed25519 key files: 32 raw bytes, 0600, one key a file."""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import key_id_of
from control.security.key_files import ensure_key_file, read_key_file

_KEY_BYTES: Final = 32


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key in the file.

    Raises:
        InputError: The file cannot be read or holds no key.
    """
    return Ed25519PrivateKey.from_private_bytes(read_key_file(path, size=_KEY_BYTES))


def ensure_signing_key(path: Path) -> bool:
    """Make a key in this file unless the file is there.

    Returns:
        Whether it was made now.
    """
    return ensure_key_file(path, Ed25519PrivateKey.generate().private_bytes_raw())


def public_key_of(key: Ed25519PrivateKey) -> bytes:
    """Its raw public key."""
    return key.public_key().public_bytes_raw()


def id_of(key: Ed25519PrivateKey) -> str:
    """Its id; see `key_id_of`."""
    return key_id_of(public_key_of(key))
