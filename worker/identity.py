"""Who the device is: what enrolment made, kept in one private file."""

import os
import sys
import tempfile
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from pydantic import ConfigDict, Field

from contract.documents import Document
from contract.envelopes import SignedEnvelope
from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from contract.jobs import ID_PATTERN


class Identity(Document):
    """The device's id, its private keys, its broker user and the keys it first trusted.

    Attributes:
        name: The device's name for people.
        control_plane_url: Where the control plane answers.
        signing_key: The raw Ed25519 private key that signs requests.
        sealing_key: The raw X25519 private key that content keys are sealed to.
        trusted_keys: The `TrustedKeys` that the device pinned when it enrolled.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    device_id: str = Field(pattern=ID_PATTERN)
    name: str
    control_plane_url: str
    signing_key: bytes = Field(repr=False)
    sealing_key: bytes = Field(repr=False)
    broker_url: str
    broker_user: str
    broker_secret: str = Field(repr=False)
    trusted_keys: SignedEnvelope
    check_in_interval_seconds: float = Field(gt=0)

    @cached_property
    def signer(self) -> Ed25519PrivateKey:
        """The key that signs requests."""
        return Ed25519PrivateKey.from_private_bytes(self.signing_key)

    @cached_property
    def unsealer(self) -> X25519PrivateKey:
        """The key that opens sealed content keys."""
        return X25519PrivateKey.from_private_bytes(self.sealing_key)


def load_identity(path: Path) -> Identity:
    """The identity of an enrolled device.

    Raises:
        InputError: The device is not enrolled, or its folder cannot be read.
        DocumentError: The file is damaged.
    """
    try:
        kept = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(ErrorCode.NOT_ENROLLED, place=str(path.parent)) from error
    except OSError as error:
        raise InputError(ErrorCode.STATE_FOLDER_UNUSABLE, detail=str(error), place=str(path.parent)) from error
    return Identity.from_json(_opened(kept, path))


def save_identity(identity: Identity, path: Path) -> None:
    """Write the identity once, for its owner only; it appears whole or not at all.

    Raises:
        InputError: There is one already.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file 0600 from its first moment.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".identity-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_sealed(identity.to_json().encode()))
            file.flush()
            os.fsync(file.fileno())
        _publish(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)


def replace_identity(identity: Identity, path: Path) -> None:
    """Put the identity in place of the one that is there; at any moment one of the two is whole."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    save_identity(identity, draft)
    draft.replace(path)


def _sealed(document: bytes) -> bytes:
    """The document as it is kept: on Windows, where modes of files say nothing, encrypted for this machine."""
    if sys.platform == "win32":
        from worker.platform.windows_secrets import seal  # noqa: PLC0415  it can be loaded on Windows only

        return seal(document)
    return document


def _opened(kept: bytes, path: Path) -> bytes:
    if sys.platform == "win32":
        from worker.platform.windows_secrets import unseal  # noqa: PLC0415  it can be loaded on Windows only

        try:
            return unseal(kept)
        except ValueError as error:
            raise DocumentError(ErrorCode.DOCUMENT_INVALID, detail=str(error), place=str(path)) from error
    return kept


def _publish(temporary: Path, path: Path) -> None:
    try:
        # A hard link, unlike a rename, refuses to replace.
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise InputError(ErrorCode.ALREADY_ENROLLED, place=str(path.parent)) from error
