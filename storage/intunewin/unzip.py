"""Unpack the inner zip safely: all of it or nothing, and nothing outside the target folder (package 1.8).

The format carries no executable bits; commands run scripts through an interpreter (`sh install.sh`), and files are
made with the mode any new file gets.
"""

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.failures import corrupt, reading, writing
from storage.intunewin.inner_zip import PlannedEntry, UnzipLimits, plan_entries
from storage.intunewin.names import Kind
from storage.intunewin.paths import long_path
from storage.intunewin.progress import Progress, no_progress
from storage.intunewin.whole_file import PARTIAL_PREFIX
from storage.intunewin.zip_guard import ZIP_FAILURES, guard_directory

_CHUNK_BYTES = 1 << 20

#: Room that stays free on the disk, bytes.
_SPARE_BYTES = 16 << 20

__all__ = ["UnzipLimits", "UnzipSummary", "unzip", "unzip_stream"]

_DEFAULT_LIMITS = UnzipLimits()


@dataclass(frozen=True)
class UnzipSummary:
    """What was unpacked.

    Attributes:
        files: Number of files.
        bytes: Sum of their sizes.
    """

    files: int
    bytes: int


def unzip(plain: Path, target: Path, *, limits: UnzipLimits = _DEFAULT_LIMITS) -> UnzipSummary:
    """Unpack a plain inner zip into a new folder.

    Args:
        plain: The inner zip.
        target: The folder to make; it appears with all its content, or not at all. An empty folder may stand there.
        limits: How much the zip may unpack to.

    Raises:
        PackageError: PACKAGE_UNSAFE for names, kinds or amounts that could do harm; PACKAGE_CORRUPT for a broken zip;
            PACKAGE_WRITE_FAILED where the disk or the folder refuses.
    """
    with reading(plain):
        file = plain.open("rb")
    with file:
        return unzip_stream(file, target, limits=limits)


def unzip_stream(
    plain: BinaryIO,
    target: Path,
    *,
    limits: UnzipLimits = _DEFAULT_LIMITS,
    before_commit: Callable[[], None] = lambda: None,
    progress: Progress = no_progress,
) -> UnzipSummary:
    """Do the same from a seekable stream.

    Args:
        plain: The inner zip.
        target: The folder to make.
        limits: How much the zip may unpack to.
        before_commit: Called when everything is unpacked and nothing yet visible; what it raises undoes all.
        progress: Told the unpacked bytes done.

    Raises:
        PackageError: As `unzip`.
    """
    with _open_zip(plain, limits) as archive:
        plan = plan_entries(archive.infolist(), plain.seek(0, os.SEEK_END), limits)
        total = sum(entry.info.file_size for entry in plan)
        with _new_folder(target, total) as folder:
            for entry in plan:
                _write(archive, entry, folder, progress)
            before_commit()
    return UnzipSummary(files=sum(entry.kind is Kind.FILE for entry in plan), bytes=total)


@contextmanager
def _open_zip(plain: BinaryIO, limits: UnzipLimits) -> Iterator[zipfile.ZipFile]:
    try:
        guard_directory(plain, max_bytes=limits.max_directory_bytes)
        archive = zipfile.ZipFile(plain)
    except ZIP_FAILURES as error:
        raise corrupt(f"the inner zip cannot be read: {error}") from error
    with archive:
        yield archive


@contextmanager
def _new_folder(target: Path, needed: int) -> Iterator[Path]:
    """A private folder beside `target` that becomes it when the block ends well."""
    target = Path(os.path.abspath(target))  # noqa: PTH100 - resolve() would follow a link at the target itself
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_room(target.parent, needed)
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            detail = "there is already something at the target"
            raise PackageError(ErrorCode.PACKAGE_WRITE_FAILED, detail=detail, place=str(target))
        private = Path(tempfile.mkdtemp(prefix=PARTIAL_PREFIX, dir=target.parent))
    try:
        content = private / "content"
        with writing(target):
            content.mkdir()
        yield content
        with writing(target):
            if target.exists():
                target.rmdir()
            content.rename(target)
    finally:
        shutil.rmtree(long_path(private), ignore_errors=True)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + _SPARE_BYTES > free:
        detail = f"the content needs {needed} bytes, {free} are free"
        raise PackageError(ErrorCode.PACKAGE_WRITE_FAILED, detail=detail, place=str(folder))


def _write(archive: zipfile.ZipFile, entry: PlannedEntry, folder: Path, progress: Progress) -> None:
    path = long_path(folder.joinpath(*entry.parts))
    with writing(path):
        if entry.kind is Kind.FOLDER:
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        output = path.open("xb")
    with output:
        written = 0
        for chunk in _chunks(archive, entry):
            with writing(path):
                output.write(chunk)
            written += len(chunk)
            progress(len(chunk))
    if written != entry.info.file_size:
        raise corrupt(f"{written} bytes, its entry says {entry.info.file_size}", entry.info.orig_filename)


def _chunks(archive: zipfile.ZipFile, entry: PlannedEntry) -> Iterator[bytes]:
    try:
        with archive.open(entry.info) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except ZIP_FAILURES as error:
        raise corrupt(f"the entry cannot be unpacked: {error}", entry.info.orig_filename) from error
