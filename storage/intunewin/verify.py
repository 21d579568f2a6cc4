"""Check a package from its outer zip to the CRC of every file, and say what is unusual about it."""

from dataclasses import dataclass
from pathlib import Path

from storage.intunewin.inner_zip import UnzipLimits, entry_chunks, open_inner_zip
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.names import Kind
from storage.intunewin.oddities import package_oddities
from storage.intunewin.package_file import open_package
from storage.intunewin.progress import UNWATCHED, Progress

_DEFAULT_LIMITS = UnzipLimits()


@dataclass(frozen=True)
class VerifyReport:
    """A package that holds what it says.

    Attributes:
        metadata: What it says about itself.
        files: Number of files.
        folders: Number of folders listed by themselves.
        content_bytes: Sum of the files' sizes.
        blob_bytes: Size of the encrypted content.
        oddities: What is unusual, in sentences.
    """

    metadata: PackageMetadata
    files: int
    folders: int
    content_bytes: int
    blob_bytes: int
    oddities: tuple[str, ...]


def verify_package(
    path: Path,
    *,
    detection_xml: Path | None = None,
    limits: UnzipLimits = _DEFAULT_LIMITS,
    progress: Progress = UNWATCHED,
) -> VerifyReport:
    """Check MAC, padding, digest, size, the structure of both zips, every name, and the CRC of every file.

    Args:
        path: The package, or the bare blob.
        detection_xml: The metadata of a bare blob.
        limits: How much the package may unpack to.
        progress: Told the bytes unpacked.

    Raises:
        PackageError: The package is damaged, unsafe or none.
    """
    with open_package(path, detection_xml=detection_xml) as package:
        with package.plain() as plain, open_inner_zip(plain.stream, limits) as inner:
            plan = inner.plan
            progress.begin("Checking", sum(entry.info.file_size for entry in plan))
            for entry in plan:
                for chunk in entry_chunks(inner, entry):
                    progress.advance(len(chunk))
            plain.confirm()
        return VerifyReport(
            metadata=package.metadata,
            files=sum(entry.kind is Kind.FILE for entry in plan),
            folders=sum(entry.kind is Kind.FOLDER for entry in plan),
            content_bytes=sum(entry.info.file_size for entry in plan),
            blob_bytes=package.blob.size,
            oddities=tuple(package_oddities(package, plan)),
        )
