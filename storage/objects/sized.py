"""A stream that must hold exactly as many bytes as announced."""

from typing import BinaryIO

from contract.error_codes import ErrorCode
from contract.errors import InputError


class SizedReader:
    """Reads on from where `source` stands and fails unless exactly `size` bytes are there.

    The check happens before the last byte is handed over, so whoever sends the bytes on never sees a wrong end.
    It has no `seek` on purpose: senders then read each byte once.
    """

    def __init__(self, source: BinaryIO, size: int, *, place: str) -> None:
        self._source = source
        self._size = size
        self._left = size
        self._place = place

    def read(self, count: int = -1) -> bytes:
        """The next `count` bytes, or all that are left.

        Raises:
            InputError: The source ends too early or goes on after its end.
        """
        wanted = self._left if count < 0 else min(count, self._left)
        data = self._source.read(wanted)
        self._left -= len(data)
        if wanted and not data:
            raise self._wrong("ended early")
        if not self._left and self._source.read(1):
            raise self._wrong("goes on after them")
        return data

    def _wrong(self, what: str) -> InputError:
        found = f"announced {self._size} bytes; after {self._size - self._left} bytes it {what}"
        return InputError(ErrorCode.CONTENT_SIZE_WRONG, place=self._place, detail=found)
