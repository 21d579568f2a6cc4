"""When a file was created, as Linux keeps it: `statx(2)`, which Python's `os.stat` does not call."""

import ctypes
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

_AT_FDCWD = -100
_FOLLOW_LINKS = 0
_STATX_BTIME = 0x800


class _Timestamp(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_int64), ("nanoseconds", ctypes.c_uint32), ("_reserved", ctypes.c_int32))


class _Statx(ctypes.Structure):
    """`struct statx` of `linux/stat.h`: 256 bytes; the fields between the mask and the times are not read."""

    _fields_ = (
        ("mask", ctypes.c_uint32),
        ("_sizes_and_owners", ctypes.c_uint8 * 60),
        ("accessed", _Timestamp),
        ("born", _Timestamp),
        ("_times_and_devices", ctypes.c_uint8 * 160),
    )


def birth_time(path: Path) -> datetime | None:
    """When the file the path leads to was created, in UTC; None where the file system or the C library cannot tell.

    Raises:
        OSError: The path cannot be looked at.
    """
    call = _statx()
    if call is None:
        return None
    found = _Statx()
    if call(_AT_FDCWD, os.fsencode(path), _FOLLOW_LINKS, _STATX_BTIME, ctypes.byref(found)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(path))
    if not found.mask & _STATX_BTIME:
        return None
    return datetime.fromtimestamp(found.born.seconds, UTC).replace(microsecond=found.born.nanoseconds // 1000)


@cache
def _statx() -> Any:
    """The C library's function; None where it has none (glibc before 2.28, musl before 1.2.5)."""
    return getattr(ctypes.CDLL(None, use_errno=True), "statx", None)
