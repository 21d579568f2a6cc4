"""How much is logged: a word in a file that may change while the agent runs (behaviour B-27)."""

import logging
from enum import StrEnum
from pathlib import Path

from typing_extensions import override


class LogLevel(StrEnum):
    """What is logged at least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        """The level of `logging`."""
        return logging.getLevelNamesMapping()[self.value.upper()]


def read_level(path: Path) -> LogLevel:
    """The level a file asks for; `info` where there is none that makes sense."""
    try:
        return LogLevel(path.read_text(encoding="utf-8").strip().lower())
    except (OSError, ValueError):
        return LogLevel.INFO


def write_level(path: Path, level: LogLevel) -> None:
    """Ask for a level; an agent that runs heeds it from its next event on."""
    path.write_text(f"{level}\n", encoding="utf-8")


class WatchedLevel(logging.Filter):
    """Lets through what the file asks for, looking whether it has changed as each event comes by: no thread waits."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._number = LogLevel.INFO.number

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        self._look()
        return record.levelno >= self._number

    def _look(self) -> None:
        seen = self._stamp()
        if seen != self._seen:
            self._seen, self._number = seen, read_level(self._path).number

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino
