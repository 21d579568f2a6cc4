"""What stands between a hostile zip and the standard library's reader."""

import io
import struct
import zipfile
import zlib
from typing import BinaryIO

#: Everything `zipfile` raises on broken input, as found by mutating real packages.
ZIP_FAILURES = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    EOFError,
    zlib.error,
    struct.error,
    ValueError,
    OverflowError,
    IndexError,
)

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_END64_SIGNATURE = b"PK\x06\x06"
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_MAX_COMMENT_BYTES = 0xFFFF
_MARK_32 = 0xFFFFFFFF


def guard_directory(stream: BinaryIO, *, max_bytes: int) -> None:
    """Refuse a zip whose central directory would not fit in memory: the standard reader loads it whole.

    Raises:
        zipfile.BadZipFile: There is no directory, or it is larger than `max_bytes`.
    """
    size = directory_bytes(stream)
    if size > max_bytes:
        raise zipfile.BadZipFile(f"a directory of {size} bytes, at most {max_bytes} are read")


def directory_bytes(stream: BinaryIO) -> int:
    """The size the zip's end record gives for its central directory.

    Raises:
        zipfile.BadZipFile: There is no end record.
    """
    length = stream.seek(0, io.SEEK_END)
    tail_start = stream.seek(max(0, length - _END.size - _MAX_COMMENT_BYTES))
    tail = stream.read()
    at = tail.rfind(_END_SIGNATURE, 0, max(0, len(tail) - _END.size + len(_END_SIGNATURE)))
    if at < 0 or len(tail) < _END.size:
        raise zipfile.BadZipFile("no end record: the file is no zip or is cut short")
    size = _END.unpack_from(tail, at)[5]
    return max(size if size != _MARK_32 else 0, _zip64_directory_bytes(stream, tail_start + at))


def _zip64_directory_bytes(stream: BinaryIO, end: int) -> int:
    locator_at = end - _LOCATOR.size
    if locator_at < 0:
        return 0
    stream.seek(locator_at)
    signature, _, record_at, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if signature != _LOCATOR_SIGNATURE:
        return 0
    # Readers differ in which of both places they believe.
    return max(_record_size(stream, record_at, end), _record_size(stream, locator_at - _END64.size, end))


def _record_size(stream: BinaryIO, position: int, end: int) -> int:
    if not 0 <= position <= end:
        return 0
    stream.seek(position)
    record = stream.read(_END64.size)
    is_record = len(record) == _END64.size and record.startswith(_END64_SIGNATURE)
    return int(_END64.unpack(record)[8]) if is_record else 0
