"""A read-only stream that is a position in something of a known size."""

import io
from abc import abstractmethod

from typing_extensions import Buffer, override


class PositionedReader(io.RawIOBase):
    """Reads and seeks; what stands at a position is the subclass's to say.

    Args:
        size: Bytes of the whole.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._position = 0

    @abstractmethod
    def _fill(self, position: int, view: memoryview) -> int:
        """Put bytes from `position` on into `view`, which never reaches beyond the end, and say how many."""

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
        done = self._fill(self._position, view[:wanted]) if wanted else 0
        self._position += done
        return done

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._position = base + offset
        return self._position
