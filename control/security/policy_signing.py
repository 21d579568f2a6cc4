"""Signing policies: a port, and its implementation on a key file."""

import hashlib
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import SignedEnvelope, sign
from contract.policy import Policy
from control.security.key_files import ensure_key_file, read_key_file

_FILE_NAME: Final = "policy-signing.key"
_KEY_BYTES: Final = 32
_KEY_ID_CHARACTERS: Final = 16


class PolicySigner(Protocol):
    """Signs policies; a hardware module or a key service can stand behind it."""

    def sign(self, policy: Policy) -> SignedEnvelope:
        """The policy in an envelope signed with the current key."""
        ...

    def public_keys(self) -> dict[str, bytes]:
        """The raw Ed25519 keys that devices are to trust, by key id."""
        ...


class FilePolicySigner:
    """A `PolicySigner` whose key is a file in the state folder."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes_raw()
        self._key_id = hashlib.sha256(raw).hexdigest()[:_KEY_ID_CHARACTERS]

    @classmethod
    def load(cls, state_dir: Path) -> "FilePolicySigner":
        """The signer with the key of this state folder.

        Raises:
            InputError: There is no usable key file.
        """
        raw = read_key_file(state_dir / _FILE_NAME, size=_KEY_BYTES)
        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    def sign(self, policy: Policy) -> SignedEnvelope:
        """The policy in an envelope signed with the file's key."""
        return sign(policy, self._key, self._key_id)

    def public_keys(self) -> dict[str, bytes]:
        """The one key, by its id: the beginning of its SHA-256."""
        return {self._key_id: self._key.public_key().public_bytes_raw()}


def ensure_policy_key(state_dir: Path) -> bool:
    """Make the signing key unless it is there.

    Returns:
        Whether it was made now.
    """
    return ensure_key_file(state_dir / _FILE_NAME, Ed25519PrivateKey.generate().private_bytes_raw())
