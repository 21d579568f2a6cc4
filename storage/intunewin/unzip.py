"""Unpack the inner zip safely: all of it or nothing, and nothing outside the target folder (package 1.8).

The format carries no executable bits; commands run scripts through an interpreter (`sh install.sh`), and files are
made with the mode any new file gets.
"""

import errno
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.failures import reading, writing
from storage.intunewin.inner_zip import PlannedEntry, UnzipLimits, entry_chunks, open_inner_zip
from storage.intunewin.names import Kind
from storage.intunewin.paths import long_path
from storage.intunewin.progress import UNWATCHED, Progress
from storage.intunewin.whole_file import PARTIAL_PREFIX
from storage.intunewin.windowed import windowed

#: Room that stays free on the disk, bytes.
_SPARE_BYTES = 16 << 20

__all__ = ["UnzipLimits", "UnzipSummary", "unzip", "unzip_stream"]

#: Files up to this size are unpacked whole and written beside others.
_SMALL_BYTES = 1 << 18

#: Small files that wait to be written: with the bound above at most some 8 MiB.
_FILES_AHEAD = 32

#: More only fight for the interpreter lock; one alone waits for slow file systems.
_THREADS = 2

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
    progress: Progress = UNWATCHED,
) -> UnzipSummary:
    """Do the same from a seekable stream.

    Args:
        plain: The inner zip.
        target: The folder to make.
        limits: How much the zip may unpack to.
        before_commit: Called when everything is unpacked and nothing yet visible; what it raises undoes all.
        progress: Told the bytes unpacked.

    Raises:
        PackageError: As `unzip`.
    """
    with open_inner_zip(plain, limits) as (archive, plan):
        total = sum(entry.info.file_size for entry in plan)
        progress.begin("Unpacking", total)
        with _new_folder(target, total) as folder:
            _write_all(archive, plan, folder, progress)
            before_commit()
    return UnzipSummary(files=sum(entry.kind is Kind.FILE for entry in plan), bytes=total)


@contextmanager
def _new_folder(target: Path, needed_bytes: int) -> Iterator[Path]:
    """A private folder beside `target` that becomes it when the block ends well."""
    target = Path(os.path.abspath(target))  # noqa: PTH100 - resolve() would follow a link at the target itself
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_room(target.parent, needed_bytes)
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


def _write_all(archive: zipfile.ZipFile, plan: list[PlannedEntry], folder: Path, progress: Progress) -> None:
    """Write everything; small files are made by several threads, which is most of their cost."""
    with ThreadPoolExecutor(_THREADS) as executor:
        tasks = _tasks(archive, plan, folder, progress)
        for _ in windowed(executor, tasks, width=_FILES_AHEAD):
            pass


def _tasks(
    archive: zipfile.ZipFile, plan: list[PlannedEntry], folder: Path, progress: Progress
) -> Iterator[Callable[[], None]]:
    made: set[Path] = set()
    for entry in plan:
        path = long_path(folder.joinpath(*entry.parts))
        needed = path if entry.kind is Kind.FOLDER else path.parent
        if needed not in made:
            with writing(needed):
                needed.mkdir(parents=True, exist_ok=True)
            made.add(needed)
        if entry.kind is Kind.FILE and entry.info.file_size <= _SMALL_BYTES:
            data = b"".join(entry_chunks(archive, entry))
            progress.advance(len(data))
            yield partial(_write_whole, path, data)
        elif entry.kind is Kind.FILE:
            _write_large(archive, entry, path, progress)


def _write_whole(path: Path, data: bytes) -> None:
    with writing(path), path.open("xb", buffering=0) as output:
        written = output.write(data)
        if written != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write_large(archive: zipfile.ZipFile, entry: PlannedEntry, path: Path, progress: Progress) -> None:
    with writing(path):
        output = path.open("xb")
    with output:
        for chunk in entry_chunks(archive, entry):
            with writing(path):
                output.write(chunk)
            progress.advance(len(chunk))
