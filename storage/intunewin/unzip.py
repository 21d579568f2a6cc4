"""Unpack the inner zip safely: all of it or nothing, and nothing outside the target folder (package 1.8).

The format carries no executable bits; commands run scripts through an interpreter (`sh install.sh`), and files are
made with the mode any new file gets.
"""

import errno
import os
import shutil
import tempfile
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
from storage.intunewin.inner_zip import OpenZip, PlannedEntry, UnzipLimits, entry_chunks, open_inner_zip, small_data
from storage.intunewin.names import Kind
from storage.intunewin.paths import long_path
from storage.intunewin.progress import UNWATCHED, Progress
from storage.intunewin.whole_file import PARTIAL_PREFIX
from storage.intunewin.windowed import windowed

#: Room that stays free on the disk, bytes.
_SPARE_BYTES = 16 << 20

__all__ = ["UnzipLimits", "UnzipSummary", "unzip", "unzip_stream"]

#: Small files are written in batches of about this size.
_BATCH_BYTES = 1 << 18
_BATCH_FILES = 64

#: Batches that wait to be written: with the bounds above at most some 4 MiB.
_BATCHES_AHEAD = 6

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
    with open_inner_zip(plain, limits) as inner:
        total = sum(entry.info.file_size for entry in inner.plan)
        progress.begin("Unpacking", total)
        with _new_folder(target, total) as folder:
            _write_all(inner, folder, progress)
            before_commit()
    return UnzipSummary(files=sum(entry.kind is Kind.FILE for entry in inner.plan), bytes=total)


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


def _write_all(open_zip: OpenZip, folder: Path, progress: Progress) -> None:
    """Write everything; batches of small files are written beside the reading of the next."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        for _ in windowed(beside, _batches(open_zip, folder, progress), width=_BATCHES_AHEAD):
            pass


def _batches(open_zip: OpenZip, folder: Path, progress: Progress) -> Iterator[Callable[[], None]]:
    made: set[tuple[str, ...]] = set()
    batch: list[tuple[Path, bytes]] = []
    waiting = 0
    for entry in open_zip.plan:
        path = long_path(folder.joinpath(*entry.parts))
        _make_folders(folder, entry, made)
        if entry.kind is Kind.FOLDER:
            continue
        if not entry.is_small:
            _write_large(open_zip, entry, path, progress)
            continue
        data = small_data(open_zip.stream, entry)
        progress.advance(len(data))
        batch.append((path, data))
        waiting += len(data)
        if waiting >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
            yield partial(_write_batch, batch)
            batch, waiting = [], 0
    yield partial(_write_batch, batch)


def _make_folders(folder: Path, entry: PlannedEntry, made: set[tuple[str, ...]]) -> None:
    parts = entry.parts if entry.kind is Kind.FOLDER else entry.parts[:-1]
    if parts not in made:
        needed = long_path(folder.joinpath(*parts))
        with writing(needed):
            needed.mkdir(parents=True, exist_ok=True)
        made.add(parts)


def _write_batch(batch: list[tuple[Path, bytes]]) -> None:
    for path, data in batch:
        with writing(path), path.open("xb", buffering=0) as output:
            if output.write(data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _write_large(open_zip: OpenZip, entry: PlannedEntry, path: Path, progress: Progress) -> None:
    with writing(path):
        output = path.open("xb")
    with output:
        for chunk in entry_chunks(open_zip, entry):
            with writing(path):
                output.write(chunk)
            progress.advance(len(chunk))
