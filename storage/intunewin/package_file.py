"""An open package and, once its MAC is verified, its plain content."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from contract.errors import PackageError
from storage.intunewin.blob import checked_plain, verify_mac
from storage.intunewin.decrypted import DecryptedReader
from storage.intunewin.failures import reading
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.reader import Blob, OuterZip, open_outer, read_metadata


@dataclass(frozen=True)
class VerifiedPlain:
    """The plain inner zip of a blob whose MAC has been verified.

    Attributes:
        stream: The plain bytes, seekable.
        digesting: The check of digest and padding, under way in a thread of its own.
    """

    stream: BinaryIO
    digesting: Future[None]

    def confirm(self) -> None:
        """Wait for the check of digest and padding.

        Raises:
            PackageError: PACKAGE_CORRUPT where one of them is wrong.
        """
        self.digesting.result()


@dataclass(frozen=True)
class PackageFile:
    """An open package.

    Attributes:
        path: The package, or the bare blob.
        metadata: What it says about itself.
        blob: Its encrypted content.
        outer: Its outer zip; None for a bare blob.
    """

    path: Path
    metadata: PackageMetadata
    blob: Blob
    outer: OuterZip | None

    @contextmanager
    def plain(self) -> Iterator[VerifiedPlain]:
        """Verify the MAC, then give the plain content while its digest is checked beside.

        Raises:
            PackageError: PACKAGE_CORRUPT where length, MAC or initialization vector are wrong.
        """
        encryption, size = self.metadata.encryption, self.metadata.unencrypted_content_size
        verify_mac(self.blob.stream, encryption=encryption, plain_size=size)
        with ThreadPoolExecutor(max_workers=1) as beside:
            digesting = beside.submit(self._check_digest)
            try:
                yield VerifiedPlain(DecryptedReader.buffered(self.blob.stream, encryption, size), digesting)
            except PackageError:
                # Where the digest is wrong too, that is the reason of all else.
                digesting.result()
                raise

    def _check_digest(self) -> None:
        chunks = checked_plain(
            self.blob.again(),
            encryption=self.metadata.encryption,
            plain_size=self.metadata.unencrypted_content_size,
        )
        for _ in chunks:
            pass


@contextmanager
def open_package(path: Path, *, detection_xml: Path | None = None) -> Iterator[PackageFile]:
    """Open a package, or a bare blob with the Detection.xml that belongs to it.

    Raises:
        PackageError: A file cannot be read, is no package, or its metadata is broken.
    """
    if detection_xml is not None:
        metadata = read_metadata(detection_xml)
        with reading(path):
            file = path.open("rb")
        with file:
            yield PackageFile(path, metadata, Blob.whole(file), None)
        return
    with open_outer(path) as outer:
        metadata = outer.metadata()
        with outer.blob() as blob:
            yield PackageFile(path, metadata, blob, outer)
