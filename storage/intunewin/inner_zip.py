"""Judge the inner zip as a whole before anything of it is written: names, sizes, overlaps (package 1.4, 1.8)."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from storage.intunewin.failures import corrupt, unsafe
from storage.intunewin.names import Kind, NameTable, kind_of, safe_parts

_GIB = 1 << 30
_LOCAL_HEADER_BYTES = 30
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


@dataclass(frozen=True)
class PlannedEntry:
    """An entry that may be written.

    Attributes:
        info: What the zip says about it.
        parts: The components of its name.
        kind: File or folder.
    """

    info: zipfile.ZipInfo
    parts: tuple[str, ...]
    kind: Kind


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
    if info.compress_type not in _METHODS:
        raise corrupt(f"compression method {info.compress_type}; stored and deflated are known", info.orig_filename)
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise corrupt("the entry is encrypted by the zip itself", info.orig_filename)
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        raise corrupt("a stored entry has two sizes", info.orig_filename)
    return PlannedEntry(info, parts, kind)


def _check_amount(unpacked: int, packed: int, limits: UnzipLimits) -> None:
    if unpacked > limits.max_bytes:
        raise unsafe(f"it would unpack to {unpacked} bytes, at most {limits.max_bytes} are allowed")
    if unpacked > limits.ratio_floor and unpacked > packed * limits.max_ratio:
        raise unsafe(f"it would unpack to {unpacked // max(packed, 1)} times its size: a zip bomb")


def _check_overlaps(entries: Sequence[zipfile.ZipInfo]) -> None:
    for before, after in pairwise(sorted(entries, key=lambda info: info.header_offset)):
        least = _LOCAL_HEADER_BYTES + before.compress_size
        if before.header_offset + least > after.header_offset:
            raise corrupt(f"it overlaps the entry {after.orig_filename!r}: a zip bomb", before.orig_filename)
