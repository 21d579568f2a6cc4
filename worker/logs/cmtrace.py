"""The envelope of the original's logs, byte for byte, so that the tools that read those read ours (behaviour 2.1)."""

import logging
from datetime import datetime
from enum import IntEnum
from typing import Final

#: What ends a message; a message that holds it itself would end early for every reader.
_END: Final = "]LOG]!>"
_HARMLESS_END: Final = "]LOG]! >"
#: The longest message kept; the longest seen in real logs has 38,652 characters.
MAX_MESSAGE_CHARACTERS: Final = 64 * 1024
LINE_END: Final = "\r\n"


class Gravity(IntEnum):
    """The envelope's `type`."""

    INFO = 1
    WARNING = 2
    ERROR = 3


def gravity(level: int) -> Gravity:
    """The envelope's type for a level of `logging`."""
    if level >= logging.ERROR:
        return Gravity.ERROR
    return Gravity.WARNING if level >= logging.WARNING else Gravity.INFO


def envelope(message: str, *, at: datetime, component: str, kind: Gravity, thread: int) -> str:
    """One record, without the line end that follows it.

    Args:
        message: May have several lines.
        at: Local time; the envelope has no place for a zone.
        component: The log's name.
        kind: How grave it is.
        thread: The number of the thread that speaks.
    """
    when = f'time="{at:%H:%M:%S.%f}0" date="{at.month}-{at.day}-{at.year}"'
    whence = f'component="{component}" context="" type="{kind.value}" thread="{thread}" file=""'
    return f"<![LOG[{_within(message)}{_END}<{when} {whence}>"


def _within(message: str) -> str:
    whole = message.replace("\0", "").replace(_END, _HARMLESS_END)
    if len(whole) <= MAX_MESSAGE_CHARACTERS:
        return whole
    return f"{whole[:MAX_MESSAGE_CHARACTERS]}... ({len(whole) - MAX_MESSAGE_CHARACTERS} more characters)"
