"""Key files: 0600, written whole or not at all, never overwritten."""

import os
import secrets
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import InputError

_ONLY_OWNER = 0o600
_ONLY_OWNER_DIRECTORY = 0o700


def ensure_key_file(path: Path, key: bytes) -> bool:
    """Write the key unless the file is there; several processes may try at once, and one of them wins.

    Returns:
        Whether this call made the file.
    """
    path.parent.mkdir(mode=_ONLY_OWNER_DIRECTORY, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        return _publish(draft, path)
    finally:
        draft.unlink()


def read_key_file(path: Path, *, size: int) -> bytes:
    """The key in the file.

    Raises:
        InputError: The file cannot be read or holds no key of `size` bytes.
    """
    try:
        key = path.read_bytes()
    except OSError as error:
        detail = "run `outrider-control init` first" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise InputError(ErrorCode.KEY_FILE_UNUSABLE, place=str(path), detail=detail) from error
    if len(key) != size:
        raise InputError(
            ErrorCode.KEY_FILE_UNUSABLE, place=str(path), detail=f"expected {size} bytes, found {len(key)}"
        )
    return key


def _publish(draft: Path, path: Path) -> bool:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    return True
