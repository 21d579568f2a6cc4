"""Compress files for the inner zip: to the byte as Microsoft's tool, or several times faster (package 1.4)."""

import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from isal import isal_zlib

from storage.intunewin.windowed import windowed

_RAW_WINDOW = -15

#: The level of the current tool, and of the oldest one.
LEVEL_CURRENT = 1
LEVEL_OLD = 6

#: Pieces of one large file that are compressed or wait at the same time, so that memory stays bounded.
_PIECES_AHEAD = 8


#: Long runs of one byte are packed no tighter than the exact way packs them: readers take far more for a zip bomb.
_MAX_RATIO = 250


class Deflate(Protocol):
    """A way to make raw deflate streams."""

    def whole(self, data: bytes) -> bytes:
        """One small file's stream."""

    def stream(self, chunks: Iterable[bytes], executor: Executor) -> Iterator[bytes]:
        """One large file's stream, piece by piece."""


@dataclass(frozen=True)
class ExactDeflate:
    """The streams of zlib itself, which are those of Microsoft's tool; one thread per file.

    Attributes:
        level: The compression level.
    """

    level: int = LEVEL_CURRENT

    def whole(self, data: bytes) -> bytes:
        """One small file's stream."""
        compressor = zlib.compressobj(self.level, zlib.DEFLATED, _RAW_WINDOW)
        return compressor.compress(data) + compressor.flush()

    def stream(self, chunks: Iterable[bytes], _executor: Executor) -> Iterator[bytes]:
        """One large file's stream; the next chunk is read while the last is compressed."""
        compressor = zlib.compressobj(self.level, zlib.DEFLATED, _RAW_WINDOW)
        # One thread of its own: the pool's would not keep the chunks' order.
        with ThreadPoolExecutor(max_workers=1) as beside:
            yield from windowed(beside, (partial(compressor.compress, chunk) for chunk in chunks), width=2)
        yield compressor.flush()


@dataclass(frozen=True)
class FastDeflate:
    """ISA-L's streams, a large file's pieces compressed independently and joined at byte borders.

    Attributes:
        level: ISA-L's own scale, 0 to 3.
    """

    level: int = 2

    def whole(self, data: bytes) -> bytes:
        """One small file's stream."""
        return self._piece(data, isal_zlib.Z_FINISH)

    def stream(self, chunks: Iterable[bytes], executor: Executor) -> Iterator[bytes]:
        """One large file's stream; several pieces at once."""
        tasks = (partial(self._piece, chunk, isal_zlib.Z_FULL_FLUSH) for chunk in chunks)
        yield from windowed(executor, tasks, width=_PIECES_AHEAD)
        yield self._piece(b"", isal_zlib.Z_FINISH)

    def _piece(self, data: bytes, flush: int) -> bytes:
        compressor = isal_zlib.compressobj(self.level, isal_zlib.DEFLATED, _RAW_WINDOW)
        packed = compressor.compress(data) + compressor.flush(flush)
        return packed if len(data) <= _MAX_RATIO * len(packed) else _modest_piece(data, flush)


def _modest_piece(data: bytes, flush: int) -> bytes:
    compressor = zlib.compressobj(LEVEL_CURRENT, zlib.DEFLATED, _RAW_WINDOW)
    return compressor.compress(data) + compressor.flush(flush)


def is_exact() -> bool:
    """Whether this Python's zlib makes the streams of zlib itself; replacements such as zlib-ng do not."""
    return zlib.crc32(ExactDeflate().whole(_PROBE)) == _PROBE_CRC


#: Text on which zlib 1.2 and 1.3 agree and replacements differ.
_PROBE = b"".join(b"%d squared is %d.\n" % (number, number * number) for number in range(600))
_PROBE_CRC = 0xA8489C2F
