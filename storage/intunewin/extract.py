"""Verify and unpack a package in one go: the plain inner zip never lies on a disk."""

from pathlib import Path

from storage.intunewin.inner_zip import UnzipLimits
from storage.intunewin.package_file import open_package
from storage.intunewin.progress import UNWATCHED, Progress
from storage.intunewin.unzip import UnzipSummary, unzip_stream

_DEFAULT_LIMITS = UnzipLimits()


def extract_package(
    path: Path,
    target: Path,
    *,
    detection_xml: Path | None = None,
    limits: UnzipLimits = _DEFAULT_LIMITS,
    progress: Progress = UNWATCHED,
) -> UnzipSummary:
    """Verify the package and unpack its files into a new folder.

    The MAC over the whole blob comes first; digest and structure are checked while files go to a private folder, which
    takes the target's place only when all of it holds.

    Args:
        path: The package, or the bare blob.
        target: The folder to make; an empty one may stand there.
        detection_xml: The metadata of a bare blob.
        limits: How much the package may unpack to.
        progress: Told the bytes unpacked.

    Raises:
        PackageError: The package is damaged, unsafe or none, or the target cannot be written.
    """
    with open_package(path, detection_xml=detection_xml) as package, package.plain() as plain:
        return unzip_stream(plain.stream, target, limits=limits, before_commit=plain.confirm, progress=progress)
