"""Take a package in: verified, its encrypted blob in the content store, and only then a row in the database."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy.orm import Session

from contract.clock import Clock
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.conflicts import insert_into
from control.database.session import Database
from control.database.tables import Package
from control.security.content_keys import ContentKeys
from storage.intunewin.blob import chunks, verify_blob
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.reader import open_blob, read_metadata
from storage.objects.port import ObjectStore

_KEY_PREFIX: Final = "content/sha256/"


def object_key(digest: str) -> str:
    """Where the content with this digest lies in the store."""
    return f"{_KEY_PREFIX}{digest}"


class PackageIntake:
    """Takes packages in.

    The order makes a publish that is cut off invisible: an object without a row is never handed out, and the next
    upload of the same package puts the same bytes under the same key.
    """

    def __init__(self, database: Database, store: ObjectStore, keys: ContentKeys, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._keys = keys
        self._clock = clock

    def take(self, path: Path, note: Callable[[Session, Package], None] = lambda _session, _package: None) -> Package:
        """Verify the package, store its content, and make it known; the same package again changes nothing.

        Args:
            path: The package.
            note: Records that it is new, in the transaction that makes it known.

        Raises:
            PackageError: It is no package, or its content does not match its metadata.
            StoreError: The content store refused.
            UnavailableError: The content store or the database does not answer.
        """
        metadata = read_metadata(path)
        with open_blob(path) as blob:
            verify_blob(blob.stream, encryption=metadata.encryption, plain_size=metadata.unencrypted_content_size)
            blob.stream.seek(0)
            digest = _digest(blob.stream)
            if not self._store.exists(object_key(digest)):
                blob.stream.seek(0)
                self._store.put(object_key(digest), blob.stream, size=blob.size)
        with self._database.transaction() as session:
            is_new = self._add(session, digest, blob.size, metadata)
            package = session.get_one(Package, digest)
            if is_new:
                note(session, package)
            return package

    def _add(self, session: Session, digest: str, size: int, metadata: PackageMetadata) -> bool:
        """Make it known; whether it was not. Somebody else may upload the same package at the same time."""
        encryption = metadata.encryption
        row = insert_into(Package, session.get_bind().dialect.name).values(
            digest=digest,
            size=size,
            plain_size=metadata.unencrypted_content_size,
            plain_digest=encryption.file_digest,
            mac=encryption.mac,
            mac_key=encryption.mac_key,
            initialization_vector=encryption.initialization_vector,
            wrapped_key=self._keys.wrap(encryption.encryption_key),
            name=metadata.name,
            setup_file=metadata.setup_file,
            created_at=self._clock.now(),
        )
        added = session.execute(row.on_conflict_do_nothing().returning(Package.digest))
        return added.first() is not None


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    for chunk in chunks(stream):
        digest.update(chunk)
    return digest.hexdigest()


def find_package(session: Session, digest: str) -> Package:
    """The package with this digest.

    Raises:
        NotFoundError: There is none.
    """
    package = session.get(Package, digest)
    if package is None:
        raise NotFoundError(ErrorCode.UNKNOWN_PACKAGE, place=digest)
    return package
