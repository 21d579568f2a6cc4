"""Events as short lines for people."""

import logging
import sys
from typing import TextIO

from structlog.typing import EventDict

from worker.logs.short import short_line


class People:
    """A stream that people read.

    Args:
        stream: stderr where None.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = sys.stderr if stream is None else stream

    def write(self, text: str) -> None:
        """Write a line at once."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """The stream is somebody else's."""


def for_people(event: EventDict, _record: logging.LogRecord) -> str:
    """One line."""
    return short_line(event)
