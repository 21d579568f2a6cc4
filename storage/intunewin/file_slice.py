"""A part of a file as a file of its own."""

import os
import threading
from typing import BinaryIO

from typing_extensions import override

from storage.intunewin.failures import corrupt, reason
from storage.intunewin.positioned import PositionedReader


class FileSlice(PositionedReader):
    """Bytes `start` to `start + size` of an open file, read-only; closing it leaves the file open.

    Several slices of one file may be read from several threads.
    """

    _lock = threading.Lock()

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__(size)
        self._file = file
        self._start = start

    @override
    def _fill(self, position: int, view: memoryview) -> int:
        return self._read_at(self._start + position, view)

    def _read_at(self, position: int, view: memoryview) -> int:
        try:
            if hasattr(os, "preadv"):
                return os.preadv(self._file.fileno(), [view], position)
            with self._lock:
                self._file.seek(position)
                data = self._file.read(len(view))
        except OSError as error:
            raise corrupt(f"it cannot be read: {reason(error)}", str(self._file.name)) from error
        view[: len(data)] = data
        return len(data)
