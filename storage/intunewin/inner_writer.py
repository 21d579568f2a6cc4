"""Write the plain inner zip: small files compressed several at once, large ones streamed (package 1.4)."""

import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from os import cpu_count
from typing import BinaryIO

from storage.intunewin.deflate import Deflate
from storage.intunewin.dos_time import dos_time, local_time
from storage.intunewin.progress import Progress
from storage.intunewin.source_file import read_chunks, read_whole
from storage.intunewin.tree import SourceEntry
from storage.intunewin.windowed import windowed
from storage.intunewin.zip_records import DEFLATED, STORED, Dialect
from storage.intunewin.zip_stream import ZipStream

#: Files up to this size are read whole and compressed beside others.
_SMALL_BYTES = 1 << 18

#: Small files are packed in batches of about this many bytes and at most so many files.
_BATCH_BYTES = 1 << 18
_BATCH_FILES = 32

#: Batches under way at the same time: with the bounds above at most some 8 MiB.
_BATCHES_AHEAD = 8

_MAX_THREADS = 8


@dataclass(frozen=True)
class InnerZipStyle:
    """What the inner zip looks like.

    Attributes:
        dialect: The records.
        deflate: The compression.
        separator: Between the components of a name.
        packing_time: The time of empty folders.
        fixed_time: The time of every file; None for each file's own.
    """

    dialect: Dialect
    deflate: Deflate
    separator: str
    packing_time: datetime
    fixed_time: datetime | None = None

    def name(self, entry: SourceEntry) -> bytes:
        """The entry's name as bytes."""
        return entry.name.replace("\\", self.separator).encode()

    def time(self, entry: SourceEntry) -> int:
        """The entry's packed time."""
        if entry.status is None:
            return dos_time(self.packing_time)
        return dos_time(self.fixed_time or local_time(entry.status.st_mtime))


@dataclass
class InnerZipSummary:
    """What was packed.

    Attributes:
        files: Number of files.
        folders: Number of empty folders.
        bytes: Sum of the files' sizes.
    """

    files: int = 0
    folders: int = 0
    bytes: int = 0


def write_inner_zip(
    entries: Iterable[SourceEntry], output: BinaryIO, style: InnerZipStyle, progress: Progress
) -> InnerZipSummary:
    """Write all entries in their order, in bounded memory.

    Raises:
        PackageError: PACKAGE_SOURCE_CHANGED where a file is no longer what was listed.
    """
    progress.begin("Packing", None)
    summary = InnerZipSummary()
    with (
        ThreadPoolExecutor(min(cpu_count() or 1, _MAX_THREADS)) as executor,
        ZipStream(output, style.dialect) as target,
    ):
        writer = _InnerWriter(target, style, executor, progress)
        for is_small, group in groupby(_counted(entries, summary), key=lambda entry: entry.size <= _SMALL_BYTES):
            if is_small:
                writer.add_small(group)
            else:
                for entry in group:
                    writer.add_large(entry)
    return summary


def _counted(entries: Iterable[SourceEntry], summary: InnerZipSummary) -> Iterator[SourceEntry]:
    for entry in entries:
        summary.files += entry.status is not None
        summary.folders += entry.status is None
        summary.bytes += entry.size
        yield entry


def _batches(entries: Iterable[SourceEntry]) -> Iterator[list[SourceEntry]]:
    batch: list[SourceEntry] = []
    waiting = 0
    for entry in entries:
        batch.append(entry)
        waiting += entry.size
        if waiting >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
            yield batch
            batch, waiting = [], 0
    if batch:
        yield batch


@dataclass(frozen=True)
class _Packed:
    entry: SourceEntry
    data: bytes
    crc: int


@dataclass(frozen=True)
class _InnerWriter:
    target: ZipStream
    style: InnerZipStyle
    executor: Executor
    progress: Progress

    def add_small(self, entries: Iterable[SourceEntry]) -> None:
        tasks = (partial(self._pack_batch, batch) for batch in _batches(entries))
        for batch in windowed(self.executor, tasks, width=_BATCHES_AHEAD):
            for packed in batch:
                self._add_packed(packed)

    def _add_packed(self, packed: _Packed) -> None:
        entry = packed.entry
        self.target.add(
            self.style.name(entry),
            self.style.time(entry),
            packed.data,
            crc=packed.crc,
            size=entry.size,
            method=DEFLATED if entry.size else STORED,
        )
        self.progress.advance(entry.size)

    def add_large(self, entry: SourceEntry) -> None:
        begun = self.target.begin(self.style.name(entry), self.style.time(entry))
        plain = _PlainCounter(read_chunks(entry), self.progress)
        for piece in self.style.deflate.stream(plain, self.executor):
            self.target.write(piece)
        self.target.finish(begun, crc=plain.crc, size=plain.size)

    def _pack_batch(self, entries: list[SourceEntry]) -> list[_Packed]:
        return [self._pack(entry) for entry in entries]

    def _pack(self, entry: SourceEntry) -> _Packed:
        if not entry.size:
            return _Packed(entry, b"", 0)
        data = read_whole(entry)
        return _Packed(entry, self.style.deflate.whole(data), zlib.crc32(data))


class _PlainCounter:
    """Plain chunks on their way to the compressor, counted and summed."""

    def __init__(self, chunks: Iterable[bytes], progress: Progress) -> None:
        self._chunks = chunks
        self._progress = progress
        self.crc = 0
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.crc = zlib.crc32(chunk, self.crc)
            self.size += len(chunk)
            self._progress.advance(len(chunk))
            yield chunk
