"""Zip records to the byte as the two zip writers behind Microsoft's tool emit them (package 1.1, 1.4).

The standard library's `zipfile` cannot: flags, versions and the extra field differ. Pure functions from facts to bytes.
"""

import struct
from dataclasses import dataclass

STORED = 0
DEFLATED = 8

_MARK_16 = 0xFFFF
_MARK_32 = 0xFFFFFFFF
_VERSION_ZIP64 = 45
_FLAG_DESCRIPTOR = 0x0008

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_DESCRIPTOR = struct.Struct("<LQQ")
_ZIP64_ID = 0x0001

#: The "growth hint" of .NET's packaging writer: id 0xA220, signature 0xA028, 20 bytes kept free for zip64 sizes.
_GROWTH_HINT = struct.pack("<4H", 0xA220, 4 + 20, 0xA028, 20) + bytes(20)
_GROWTH_HINT_USED = struct.pack("<4H", 0xA220, 4, 0xA028, 20)


@dataclass(frozen=True)
class Dialect:
    """How one zip writer fills the fields that readers ignore.

    Attributes:
        made_by: Version made by.
        needed_stored: Version needed to extract a stored entry.
        needed_deflated: Version needed to extract a deflated entry.
        flags: General purpose flags.
        growth_hint: Whether local headers keep room for zip64 sizes.
    """

    made_by: int
    needed_stored: int
    needed_deflated: int
    flags: int
    growth_hint: bool


#: The outer zip: .NET Framework's packaging writer.
OUTER = Dialect(made_by=45, needed_stored=10, needed_deflated=20, flags=0, growth_hint=True)
#: The inner zip of tools up to the first 1.4 builds: the same writer, which notes its deflate level in the flags.
OLD_INNER = Dialect(made_by=45, needed_stored=20, needed_deflated=20, flags=0x0002, growth_hint=True)
#: The inner zip of every later tool: .NET's ZipArchive, which marks all names as UTF-8.
INNER = Dialect(made_by=20, needed_stored=20, needed_deflated=20, flags=0x0800, growth_hint=False)


@dataclass(frozen=True)
class ZipEntry:
    """One entry, all sizes known.

    Attributes:
        name: The name's bytes.
        method: STORED or DEFLATED.
        dos_time: Date and time as zip packs them.
        crc: CRC-32 of the data.
        packed: Bytes of data in the zip.
        size: Bytes of data unpacked.
        offset: Where the local header starts.
    """

    name: bytes
    method: int
    dos_time: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def is_large(self) -> bool:
        """Whether its sizes need zip64."""
        return self.packed > _MARK_32 or self.size > _MARK_32


def local_header(entry: ZipEntry, dialect: Dialect) -> bytes:
    """The record before an entry's data; its length depends on the dialect and the name alone."""
    if entry.is_large and not dialect.growth_hint:
        return _streamed_header(entry, dialect)
    extra = _local_extra(entry, dialect)
    sizes = (_MARK_32, _MARK_32) if entry.is_large else (entry.packed, entry.size)
    needed = _VERSION_ZIP64 if entry.is_large else _needed(entry, dialect)
    fields = (needed, dialect.flags, entry.method, *_time_and_date(entry), entry.crc, *sizes)
    return _LOCAL.pack(b"PK\x03\x04", *fields, len(entry.name), len(extra)) + entry.name + extra


def descriptor(entry: ZipEntry, dialect: Dialect) -> bytes:
    """The record behind an entry's data; empty but for entries above 4 GiB of a writer that kept no room.

    .NET's ZipArchive then writes CRC and sizes behind the data, without the optional signature.
    """
    if dialect.growth_hint or not entry.is_large:
        return b""
    return _DESCRIPTOR.pack(entry.crc, entry.packed, entry.size)


def central_record(entry: ZipEntry, dialect: Dialect) -> bytes:
    """The entry's record in the central directory."""
    far = entry.offset > _MARK_32
    wide = ((entry.size, entry.packed) if entry.is_large else ()) + ((entry.offset,) if far else ())
    extra = struct.pack(f"<2H{len(wide)}Q", _ZIP64_ID, 8 * len(wide), *wide) if wide else b""
    flags = dialect.flags | (_FLAG_DESCRIPTOR if descriptor(entry, dialect) else 0)
    needed = _VERSION_ZIP64 if wide else _needed(entry, dialect)
    sizes = (_MARK_32, _MARK_32) if entry.is_large else (entry.packed, entry.size)
    fields = (max(dialect.made_by, needed), needed, flags, entry.method, *_time_and_date(entry), entry.crc, *sizes)
    tail = (len(entry.name), len(extra), 0, 0, 0, 0, _MARK_32 if far else entry.offset)
    return _CENTRAL.pack(b"PK\x01\x02", *fields, *tail) + entry.name + extra


def end_records(count: int, directory_bytes: int, directory_offset: int) -> bytes:
    """What stands behind the central directory, with zip64 records where the plain one has no room."""
    end = _END.pack(
        b"PK\x05\x06",
        0,
        0,
        min(count, _MARK_16),
        min(count, _MARK_16),
        min(directory_bytes, _MARK_32),
        min(directory_offset, _MARK_32),
        0,
    )
    if count < _MARK_16 and directory_bytes < _MARK_32 and directory_offset < _MARK_32:
        return end
    versions = (_VERSION_ZIP64, _VERSION_ZIP64)
    amounts = (count, count, directory_bytes, directory_offset)
    end64 = _END64.pack(b"PK\x06\x06", _END64.size - 12, *versions, 0, 0, *amounts)
    locator = _LOCATOR.pack(b"PK\x06\x07", 0, directory_offset + directory_bytes, 1)
    return end64 + locator + end


def _streamed_header(entry: ZipEntry, dialect: Dialect) -> bytes:
    flags = dialect.flags | _FLAG_DESCRIPTOR
    fields = (_VERSION_ZIP64, flags, entry.method, *_time_and_date(entry), 0, 0, 0)
    return _LOCAL.pack(b"PK\x03\x04", *fields, len(entry.name), 0) + entry.name


def _local_extra(entry: ZipEntry, dialect: Dialect) -> bytes:
    if not dialect.growth_hint:
        return b""
    if not entry.is_large:
        return _GROWTH_HINT
    return struct.pack("<2H2Q", _ZIP64_ID, 16, entry.size, entry.packed) + _GROWTH_HINT_USED


def _needed(entry: ZipEntry, dialect: Dialect) -> int:
    return dialect.needed_deflated if entry.method == DEFLATED else dialect.needed_stored


def _time_and_date(entry: ZipEntry) -> tuple[int, int]:
    return entry.dos_time & _MARK_16, entry.dos_time >> 16
