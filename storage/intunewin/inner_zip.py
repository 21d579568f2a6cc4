"""Judge the inner zip as a whole before anything of it is written: names, sizes, overlaps (package 1.4, 1.8)."""

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from storage.intunewin.failures import corrupt, unsafe
from storage.intunewin.names import Kind, NameTable, kind_of, safe_parts, split_name
from storage.intunewin.zip_guard import ZIP_FAILURES, guard_directory

_GIB = 1 << 30
_CHUNK_BYTES = 1 << 20

#: Files up to this size are unpacked in one piece.
SMALL_BYTES = 1 << 18

_LOCAL = struct.Struct("<4s22s2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_UTF8_FLAG = 0x0800
_ENCRYPTED_FLAG = 0x1
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}


@dataclass(frozen=True)
class UnzipLimits:
    """How much one archive may unpack to. The defaults leave room above the 30 GB a package may have (package 1.7).

    Attributes:
        max_bytes: Sum of all files, bytes.
        max_entries: Files and folders.
        max_ratio: Unpacked to packed bytes of the whole archive. Deflate reaches 1030; the level of Microsoft's tool
            229, on zeros.
        ratio_floor: Bytes below which the ratio does not matter: they harm no one.
        max_directory_bytes: Size of the zip's central directory, which is read whole.
    """

    max_bytes: int = 128 * _GIB
    max_entries: int = 200_000
    max_ratio: int = 500
    ratio_floor: int = 16 << 20
    max_directory_bytes: int = 32 << 20


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """An entry that may be written.

    Attributes:
        info: What the zip says about it.
        kind: File or folder.
    """

    info: zipfile.ZipInfo
    kind: Kind

    @property
    def parts(self) -> tuple[str, ...]:
        """The components of its name."""
        return split_name(self.info.orig_filename)

    @property
    def is_small(self) -> bool:
        """Whether it may be held in memory whole, packed and unpacked."""
        return max(self.info.file_size, self.info.compress_size) <= SMALL_BYTES


@dataclass(frozen=True)
class OpenZip:
    """An inner zip that has been judged.

    Attributes:
        stream: Its bytes.
        archive: The standard library's view of it.
        plan: Its entries, all of which may be written.
    """

    stream: BinaryIO
    archive: zipfile.ZipFile
    plan: list[PlannedEntry]


@contextmanager
def open_inner_zip(plain: BinaryIO, limits: UnzipLimits) -> Iterator[OpenZip]:
    """The inner zip and its entries, all of which may be written.

    Raises:
        PackageError: As `plan_entries`; PACKAGE_CORRUPT where the stream is no zip.
    """
    try:
        guard_directory(plain, max_bytes=limits.max_directory_bytes)
        archive = zipfile.ZipFile(plain)
    except ZIP_FAILURES as error:
        raise corrupt(f"the inner zip cannot be read: {error}") from error
    with archive:
        yield OpenZip(plain, archive, plan_entries(archive.infolist(), plain.seek(0, os.SEEK_END), limits))


def entry_chunks(inner: OpenZip, entry: PlannedEntry) -> Iterator[bytes]:
    """The unpacked data of a file, piece by piece; a small file's in one piece.

    Raises:
        PackageError: PACKAGE_CORRUPT where it cannot be unpacked, at the latest behind the last piece where size or
            CRC are wrong.
    """
    if entry.is_small:
        yield small_data(inner.stream, entry)
        return
    unpacked = 0
    try:
        with inner.archive.open(entry.info) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                unpacked += len(chunk)
                yield chunk
    except ZIP_FAILURES as error:
        raise corrupt(f"the entry cannot be unpacked: {error}", entry.info.orig_filename) from error
    if unpacked != entry.info.file_size:
        raise corrupt(f"{unpacked} bytes, its entry says {entry.info.file_size}", entry.info.orig_filename)


def small_data(plain: BinaryIO, entry: PlannedEntry) -> bytes:
    """The unpacked data of a small file at once, with the same checks and a tenth of the calls.

    Raises:
        PackageError: PACKAGE_CORRUPT where header, data, size or CRC are wrong.
    """
    info = entry.info
    plain.seek(info.header_offset)
    header = plain.read(_LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(_LOCAL_SIGNATURE):
        raise corrupt("its local header is missing", info.orig_filename)
    name_bytes, extra_bytes = _LOCAL.unpack(header)[2:]
    name = plain.read(name_bytes + extra_bytes)[:name_bytes]
    if name != info.orig_filename.encode("utf-8" if info.flag_bits & _UTF8_FLAG else "cp437", "replace"):
        raise corrupt("its local header has another name", info.orig_filename)
    data = _inflated(plain.read(info.compress_size), info)
    if len(data) != info.file_size or zlib.crc32(data) != info.CRC:
        raise corrupt("its size or CRC is wrong", info.orig_filename)
    return data


def _inflated(packed: bytes, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type == zipfile.ZIP_STORED:
        return packed
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, info.file_size + 1)
    except zlib.error as error:
        raise corrupt(f"the entry cannot be unpacked: {error}", info.orig_filename) from error


def plan_entries(entries: Sequence[zipfile.ZipInfo], packed_bytes: int, limits: UnzipLimits) -> list[PlannedEntry]:
    """Check every entry and all of them together.

    Args:
        entries: What the zip lists.
        packed_bytes: Size of the zip.
        limits: How much it may unpack to.

    Raises:
        PackageError: PACKAGE_UNSAFE for names, kinds or amounts that could do harm; PACKAGE_CORRUPT for entries that
            overlap or cannot be read.
    """
    if len(entries) > limits.max_entries:
        raise unsafe(f"{len(entries)} entries, at most {limits.max_entries} are unpacked")
    _check_amount(sum(info.file_size for info in entries), packed_bytes, limits)
    _check_overlaps(entries)
    names = NameTable()
    return [_plan(info, names) for info in entries]


def _plan(info: zipfile.ZipInfo, names: NameTable) -> PlannedEntry:
    parts, kind = safe_parts(info.orig_filename), kind_of(info)
    names.add(parts, kind)
    if info.header_offset < 0:
        raise corrupt("the directory points before the start of the zip", info.orig_filename)
    if info.compress_type not in _METHODS:
        raise corrupt(f"compression method {info.compress_type}; stored and deflated are known", info.orig_filename)
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise corrupt("the entry is encrypted by the zip itself", info.orig_filename)
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        raise corrupt("a stored entry has two sizes", info.orig_filename)
    return PlannedEntry(info, kind)


def _check_amount(unpacked: int, packed: int, limits: UnzipLimits) -> None:
    if unpacked > limits.max_bytes:
        raise unsafe(f"it would unpack to {unpacked} bytes, at most {limits.max_bytes} are allowed")
    if unpacked > limits.ratio_floor and unpacked > packed * limits.max_ratio:
        raise unsafe(f"it would unpack to {unpacked // max(packed, 1)} times its size: a zip bomb")


def _check_overlaps(entries: Sequence[zipfile.ZipInfo]) -> None:
    for before, after in pairwise(sorted(entries, key=lambda info: info.header_offset)):
        least = _LOCAL.size + before.compress_size
        if before.header_offset + least > after.header_offset:
            raise corrupt(f"it overlaps the entry {after.orig_filename!r}: a zip bomb", before.orig_filename)
