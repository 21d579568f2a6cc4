"""Files that rotate by size and keep so many, named by when they were closed, as the original's are (behaviour 2.1)."""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

#: The original's default (behaviour 2.1).
MAX_FILE_BYTES: Final = 2 * 1024 * 1024
#: Closed files kept beside the one that is written.
KEPT_FILES: Final = 4

_STAMP: Final = "%Y%m%d-%H%M%S"
_STAMP_PATTERN: Final = "-" + "[0-9]" * 8 + "-" + "[0-9]" * 6
_STAMP_CHARACTERS: Final = 15


def rotated(path: Path) -> list[Path]:
    """The closed files of a log, the oldest first."""
    return sorted(path.parent.glob(f"{path.stem}{_STAMP_PATTERN}{path.suffix}"))


class StampedRotatingFile:
    """A log that closes a full file as `<log>-YYYYMMDD-HHMMSS<suffix>` and removes the oldest.

    Args:
        path: The file that is written.
        line_end: What follows each text.
        head: What each file begins with.
        max_bytes: A file is closed before it has as many.
        now: The time that names closed files.
    """

    def __init__(
        self,
        path: Path,
        *,
        line_end: str = "\n",
        head: bytes = b"",
        max_bytes: int = MAX_FILE_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._now = now
        self._head = head
        self._max_bytes = max_bytes
        self._line_end = line_end
        self._open()

    def write(self, text: str) -> None:
        """Write a line; how large the file is by now is known without asking for it."""
        if self._file.closed:
            # The next one could not be opened when the last was full.
            self._open()
        line = (text + self._line_end).encode(errors="backslashreplace")
        if self._bytes and self._bytes + len(line) >= self._max_bytes:
            self.roll_over()
        if not self._bytes:
            line = self._head + line
        self._file.write(line)
        self._file.flush()
        self._bytes += len(line)

    def roll_over(self) -> None:
        """Close the full file and begin another."""
        self._file.close()
        # Windows does not rename a file that somebody reads; the file grows until they let go.
        with contextlib.suppress(PermissionError):
            self._path.rename(self._closed_name())
        for old in rotated(self._path)[:-KEPT_FILES]:
            with contextlib.suppress(PermissionError):
                old.unlink()
        self._open()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> None:
        self._file = self._path.open("ab")
        self._bytes = os.fstat(self._file.fileno()).st_size

    def _closed_name(self) -> Path:
        at = self._now()
        closed = rotated(self._path)
        if closed:
            # Names keep the order of the files, also of two within a second and where the clock was set back.
            last = datetime.strptime(closed[-1].stem[-_STAMP_CHARACTERS:], _STAMP).replace(tzinfo=UTC)
            at = max(at, last + timedelta(seconds=1))
        return self._path.with_name(f"{self._path.stem}-{at:{_STAMP}}{self._path.suffix}")
