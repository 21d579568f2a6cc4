"""Fetching content: resumable, memory bounded, checked at the end."""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import PhaseError, UnavailableError
from worker.content.source import ContentSource, ContentStream

#: Told the bytes that are there, of the bytes there will be.
Progress = Callable[[int, int], None]

#: What the system says when there is no room.
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def fetch(source: ContentSource, url: str, target: Path, *, size: int, on_progress: Progress) -> int:
    """Bring the target to its full size, going on where an earlier try stopped.

    A connection that is cut after it brought something new is followed by another at once; one that did not is not.

    Args:
        source: The content store.
        url: Where the content is.
        target: The file; what it already holds is kept.
        size: Bytes of the whole content.
        on_progress: Told about each chunk.

    Returns:
        Bytes that were fetched now.

    Raises:
        UnavailableError: The store does not answer in time, or not with the content.
        PhaseError: DISK_EXHAUSTED; CONTENT_CORRUPT where there is more of it than announced.
    """
    fetched, furthest = 0, _resumable(target, size)
    while size_of(target) != size:
        try:
            with source.open(url, first=_resumable(target, size)) as stream:
                for count in _append(stream, target, size):
                    fetched += count
                    on_progress(size_of(target), size)
        except UnavailableError:
            if size_of(target) <= furthest:
                raise
        if size_of(target) <= furthest:
            # A store that begins anew each time and never ends would hold the device up for ever.
            raise UnavailableError(ErrorCode.DOWNLOAD_FAILED, detail="the content store sent nothing new")
        furthest = size_of(target)
    return fetched


def check_digest(target: Path, digest: str) -> None:
    """Delete a file that is not what was published.

    Raises:
        PhaseError: CONTENT_CORRUPT.
    """
    with target.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        target.unlink()
        detail = f"its SHA-256 is {found}, expected {digest}"
        raise PhaseError(ErrorCode.CONTENT_CORRUPT, detail=detail, place=target.name)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def disk_error(error: OSError, place: str) -> PhaseError:
    """The error of a write the system refused."""
    code = ErrorCode.DISK_EXHAUSTED if error.errno in DISK_FULL else ErrorCode.CLIENT_ERROR
    return PhaseError(code, detail=error.strerror or str(error), place=place)


def _resumable(target: Path, size: int) -> int:
    have = size_of(target)
    if have <= size:
        return have
    target.unlink()
    return 0


def _append(stream: ContentStream, target: Path, size: int) -> Iterator[int]:
    if stream.first > size_of(target):
        detail = f"the content store answered from byte {stream.first} on, asked was {size_of(target)}"
        raise UnavailableError(ErrorCode.DOWNLOAD_FAILED, detail=detail)
    try:
        with target.open("r+b" if target.exists() else "wb") as file:
            file.truncate(stream.first)
            file.seek(stream.first)
            for chunk in stream.chunks:
                if file.tell() + len(chunk) > size:
                    raise PhaseError(ErrorCode.CONTENT_CORRUPT, detail=f"more than the announced {size} bytes")
                file.write(chunk)
                file.flush()
                yield len(chunk)
            os.fsync(file.fileno())
    except OSError as error:
        raise disk_error(error, target.name) from error
