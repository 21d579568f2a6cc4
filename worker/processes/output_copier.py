"""A program of its own: copies its standard input to a file that stays bounded, whatever is printed.

It is a process because installers outlive the agent, and what takes their output must do so, too. It is run as a file
and imports nothing but the standard library, so that it starts in moments and stays small.
"""

import os
import sys
from pathlib import Path
from typing import BinaryIO

_CHUNK_BYTES = 64 * 1024
_GAP = b"\n[... %15d bytes are left out here ...]\n"
_GAP_BYTES = len(_GAP % 0)
_ARGUMENTS = 3


class BoundedLog:
    """A file that keeps the beginning and the end of what is written to it.

    Args:
        file: Open for reading and writing, without a buffer.
        head_bytes: Kept of the beginning.
        tail_bytes: Kept of the end, at least; at most twice as much.
    """

    def __init__(self, file: BinaryIO, *, head_bytes: int, tail_bytes: int) -> None:
        self._file = file
        self._head_bytes = head_bytes
        self._tail_bytes = tail_bytes
        self._tail_begins = head_bytes
        self._left_out = 0

    def write(self, data: bytes) -> None:
        """Write at the end; what is in the middle goes when there is too much of it."""
        for first in range(0, len(data), self._tail_bytes):
            self._file.write(data[first : first + self._tail_bytes])
            if self._file.tell() >= self._tail_begins + 2 * self._tail_bytes:
                self._close_up()

    def _close_up(self) -> None:
        end = self._file.tell()
        kept_from = end - self._tail_bytes
        self._file.seek(kept_from)
        tail = self._file.read(self._tail_bytes)
        self._left_out += kept_from - self._tail_begins
        self._file.seek(self._head_bytes)
        self._file.write(_GAP % self._left_out + tail)
        self._file.truncate()
        self._tail_begins = self._head_bytes + _GAP_BYTES


def copy(source: int, log: BoundedLog) -> None:
    """Copy until nobody holds the other end any more; a full disk ends the log, never the installer."""
    writes = True
    while chunk := os.read(source, _CHUNK_BYTES):
        if not writes:
            continue
        try:
            log.write(chunk)
        except OSError:
            writes = False


def main(arguments: list[str]) -> None:
    """Copy standard input: PATH HEAD_BYTES TAIL_BYTES."""
    path, head, tail = arguments[:_ARGUMENTS]
    with Path(path).open("w+b", buffering=0) as file:
        copy(sys.stdin.fileno(), BoundedLog(file, head_bytes=int(head), tail_bytes=int(tail)))


if __name__ == "__main__":
    main(sys.argv[1:])
