"""Policy keys in files: the signer of a control plane that has no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contract.envelopes import key_id_of
from contract.error_codes import ErrorCode
from contract.errors import InputError, UnavailableError
from control.security.ed25519_files import id_of, public_key_of, read_signing_key
from control.security.key_files import ensure_key_file

_SUFFIX: Final = ".key"


class FilePolicySigner:
    """A `PolicySigner` whose keys are the files of one folder.

    The folder is looked at anew when another key is asked for, so that a new key needs no restart.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, Ed25519PrivateKey] = {}

    def public_keys(self) -> Mapping[str, bytes]:
        """See `PolicySigner.public_keys`."""
        self._keys = {id_of(key): key for key in map(read_signing_key, sorted(self._folder.glob(f"*{_SUFFIX}")))}
        if not self._keys:
            detail = "no key is there; run `outrider-control init` first"
            raise InputError(ErrorCode.KEY_FILE_UNUSABLE, place=str(self._folder), detail=detail)
        return {key_id: public_key_of(key) for key_id, key in self._keys.items()}

    def sign(self, key_id: str, message: bytes) -> bytes:
        """See `PolicySigner.sign`."""
        if key_id not in self._keys:
            self.public_keys()
        key = self._keys.get(key_id)
        if key is None:
            raise UnavailableError(ErrorCode.SIGNER_UNAVAILABLE, place=str(self._folder), detail=f"no key {key_id}")
        return key.sign(message)


def policy_key_folder(state_dir: Path) -> Path:
    """Where the policy keys of a control plane are, unless another signer holds them."""
    return state_dir / "policy-keys"


def make_policy_key(folder: Path) -> bytes:
    """Make one more policy key.

    Returns:
        Its raw public key.
    """
    key = Ed25519PrivateKey.generate()
    public_key = public_key_of(key)
    ensure_key_file(folder / f"{key_id_of(public_key)}{_SUFFIX}", key.private_bytes_raw())
    return public_key


def ensure_policy_key(folder: Path) -> bool:
    """Make a policy key unless there is one.

    Returns:
        Whether it was made now.
    """
    missing = not any(folder.glob(f"*{_SUFFIX}"))
    if missing:
        make_policy_key(folder)
    return missing
