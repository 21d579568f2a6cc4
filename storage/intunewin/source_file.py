"""Read a source file so that a change while it is read is noticed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.failures import reason, unusable
from storage.intunewin.tree import SourceEntry

_CHUNK_BYTES = 1 << 20


def read_whole(entry: SourceEntry) -> bytes:
    """The content of a small file.

    Raises:
        PackageError: PACKAGE_SOURCE_CHANGED where the file is no longer what was listed; PACKAGE_SOURCE_UNUSABLE where
            it cannot be read.
    """
    with _unchanged(entry) as file:
        data = file.read(entry.size + 1)
    if len(data) != entry.size:
        raise _changed(entry, f"{len(data)} bytes were read, {entry.size} were listed")
    return data


def read_chunks(entry: SourceEntry) -> Iterator[bytes]:
    """The content of a large file, piece by piece.

    Raises:
        PackageError: As `read_whole`, at the latest behind the last piece.
    """
    left = entry.size
    with _unchanged(entry) as file:
        while chunk := _read(entry, file, min(_CHUNK_BYTES, left + 1)):
            left -= len(chunk)
            if left < 0:
                break
            yield chunk
    if left:
        raise _changed(entry, "its size changed")


def _read(entry: SourceEntry, file: BinaryIO, size: int) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise unusable(reason(error), str(entry.path)) from error


@contextmanager
def _unchanged(entry: SourceEntry) -> Iterator[BinaryIO]:
    try:
        file = entry.path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise _changed(entry, reason(error)) from error
    except OSError as error:
        raise unusable(reason(error), str(entry.path)) from error
    with file:
        _check(entry, file)
        yield file
        _check(entry, file)


def _check(entry: SourceEntry, file: BinaryIO) -> None:
    found, listed = os.fstat(file.fileno()), entry.status
    if listed is None or (found.st_size, found.st_mtime_ns) != (listed.st_size, listed.st_mtime_ns):
        raise _changed(entry, "its size or time changed")


def _changed(entry: SourceEntry, detail: str) -> PackageError:
    return PackageError(ErrorCode.PACKAGE_SOURCE_CHANGED, detail=detail, place=str(entry.path))
