"""Versions of Windows programs and libraries."""

import sys
from pathlib import Path

import pywintypes
import win32api

assert sys.platform == "win32"

_FIXED_INFO = "\\"
#: There is no resource section, no version resource, no such language: the file has no version.
_HAS_NONE = frozenset({1812, 1813, 1814, 1815})


def file_version(path: Path) -> str | None:
    """The four numbers of a file's version resource, joined by dots; None where it has none.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        info = win32api.GetFileVersionInfo(str(path), _FIXED_INFO)
    except pywintypes.error as error:
        if error.winerror in _HAS_NONE:
            return None
        raise OSError(None, error.strerror, str(path), error.winerror) from error
    high, low = info["FileVersionMS"] & 0xFFFF_FFFF, info["FileVersionLS"] & 0xFFFF_FFFF
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"
