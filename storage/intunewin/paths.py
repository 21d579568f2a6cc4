"""Paths beyond the 260 characters of old Windows interfaces."""

import os
import sys
from pathlib import Path

_PREFIX = "\\\\?\\"
_UNC_PREFIX = "\\\\?\\UNC\\"


def long_path(path: Path) -> Path:
    """The path in the form that has no length limit on Windows; on other systems the path itself."""
    return _extended(path) if sys.platform == "win32" else path


def _extended(path: Path) -> Path:
    absolute = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
    if absolute.startswith(_PREFIX):
        return Path(absolute)
    if absolute.startswith("\\\\"):
        return Path(_UNC_PREFIX + absolute[2:])
    return Path(_PREFIX + absolute)
