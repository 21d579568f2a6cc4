"""A part of a file as a file of its own."""

import io
import os
import threading
from typing import BinaryIO

from typing_extensions import Buffer, override

from storage.intunewin.failures import corrupt, reason


class FileSlice(io.RawIOBase):
    """Bytes `start` to `start + size` of an open file, read-only; closing it leaves the file open.

    Several slices of one file may be read from several threads.
    """

    _lock = threading.Lock()

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._size = size
        self._position = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), max(0, self._size - self._position))
        done = self._read_at(self._start + self._position, view[:wanted])
        self._position += done
        return done

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position

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
