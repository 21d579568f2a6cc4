"""Files that rotate by size and keep so many, named by when they were closed, as the original's are (behaviour 2.1)."""

import contextlib
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from typing_extensions import override

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


class StampedRotatingFileHandler(logging.FileHandler):
    """Closes a full file as `<log>-YYYYMMDD-HHMMSS<suffix>` and removes the oldest.

    Args:
        path: The file that is written.
        line_end: What follows each record.
        encoding: `utf-8-sig` begins each file with a byte order mark.
        now: The time that names closed files.
    """

    def __init__(
        self,
        path: Path,
        *,
        line_end: str = "\n",
        encoding: str = "utf-8",
        max_bytes: int = MAX_FILE_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._now = now
        self._max_bytes = max_bytes
        self._bytes = 0
        super().__init__(path, encoding=encoding)
        self.terminator = line_end

    @override
    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; its text is made once, and the file's size is known without asking for it."""
        try:
            line = self.format(record) + self.terminator
            size = len(line.encode(errors="backslashreplace"))
            if self._bytes and self._bytes + size >= self._max_bytes:
                self.roll_over()
            if self.stream is None:
                self.stream = self._open()
            self.stream.write(line)
            self.stream.flush()
            self._bytes += size
        except Exception:  # noqa: BLE001  a log that cannot be written must not end the agent
            self.handleError(record)

    def roll_over(self) -> None:
        """Close the full file and begin another."""
        if self.stream is not None:
            self.stream.close()
        # Windows does not rename a file that somebody reads; the file grows until they let go.
        with contextlib.suppress(PermissionError):
            self._path.rename(self._closed_name())
        for old in rotated(self._path)[:-KEPT_FILES]:
            with contextlib.suppress(PermissionError):
                old.unlink()
        self.stream = self._open()

    @override
    def _open(self) -> TextIOWrapper:
        stream = self._path.open("a", encoding=self.encoding, errors="backslashreplace", newline="")
        self._bytes = os.fstat(stream.fileno()).st_size
        return stream

    def _closed_name(self) -> Path:
        at = self._now()
        closed = rotated(self._path)
        if closed:
            # Names keep the order of the files, also of two within a second and where the clock was set back.
            last = datetime.strptime(closed[-1].stem[-_STAMP_CHARACTERS:], _STAMP).replace(tzinfo=UTC)
            at = max(at, last + timedelta(seconds=1))
        return self._path.with_name(f"{self._path.stem}-{at:{_STAMP}}{self._path.suffix}")
