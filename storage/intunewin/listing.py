"""What lies in a package, file by file."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.intunewin.inner_zip import UnzipLimits, entry_chunks, open_inner_zip
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.names import Kind
from storage.intunewin.package_file import open_package
from storage.intunewin.progress import UNWATCHED, Progress

_DEFAULT_LIMITS = UnzipLimits()


@dataclass(frozen=True)
class ListedFile:
    """A file or folder of a package.

    Attributes:
        name: Its path with `/`; a folder's ends with one.
        size: Bytes.
        packed: Bytes in the inner zip.
        modified: Its time; zip times carry no zone.
        digest: SHA-256 of its content in hexadecimal; empty where it was not asked for.
    """

    name: str
    size: int
    packed: int
    modified: datetime | None
    digest: str = ""


@dataclass(frozen=True)
class Listing:
    """A package's metadata and content.

    Attributes:
        metadata: What it says about itself.
        blob_bytes: Size of the encrypted content.
        files: What lies in it, in its order.
    """

    metadata: PackageMetadata
    blob_bytes: int
    files: tuple[ListedFile, ...]


def list_package(
    path: Path,
    *,
    detection_xml: Path | None = None,
    digests: bool = False,
    limits: UnzipLimits = _DEFAULT_LIMITS,
    progress: Progress = UNWATCHED,
) -> Listing:
    """List a package whose MAC and digest hold.

    Args:
        path: The package, or the bare blob.
        detection_xml: The metadata of a bare blob.
        digests: Whether to unpack every file, in memory piece by piece, for its SHA-256.
        limits: How much the package may unpack to.
        progress: Told the bytes unpacked.

    Raises:
        PackageError: The package is damaged, unsafe or none.
    """
    with open_package(path, detection_xml=detection_xml) as package, package.plain() as plain:
        with open_inner_zip(plain.stream, limits) as inner:
            plan = inner.plan
            progress.begin("Reading", sum(entry.info.file_size for entry in plan))
            files = []
            for entry in plan:
                digest = hashlib.sha256()
                if digests:
                    for chunk in entry_chunks(inner, entry):
                        digest.update(chunk)
                        progress.advance(len(chunk))
                name = "/".join(entry.parts) + ("/" if entry.kind is Kind.FOLDER else "")
                info = entry.info
                modified = _moment(info.date_time)
                shown = digest.hexdigest() if digests else ""
                files.append(ListedFile(name, info.file_size, info.compress_size, modified, shown))
            plain.confirm()
        return Listing(package.metadata, package.blob.size, tuple(files))


def _moment(fields: tuple[int, int, int, int, int, int]) -> datetime | None:
    try:
        return datetime(*fields)  # noqa: DTZ001 - zip times carry no zone
    except ValueError:
        return None
