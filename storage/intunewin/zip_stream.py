"""Write a zip entry by entry with the records of one dialect; memory does not grow with the number of entries."""

import tempfile
from dataclasses import replace
from types import TracebackType
from typing import BinaryIO, Self

from storage.intunewin.zip_records import (
    DEFLATED,
    Dialect,
    ZipEntry,
    central_record,
    descriptor,
    end_records,
    local_header,
)

#: Central directory kept in memory; more goes to a temporary file.
_SPOOL_BYTES = 4 << 20
_COPY_BYTES = 1 << 20


class ZipStream:
    """A zip under construction at the start of a seekable file.

    As a context manager it writes the directory when the block ends well.
    """

    def __init__(self, output: BinaryIO, dialect: Dialect) -> None:
        self._output = output
        self._dialect = dialect
        self._directory = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 - closed in __exit__
        self._count = 0
        self._position = 0

    def add(self, name: bytes, dos_time: int, data: bytes, *, crc: int, size: int, method: int) -> None:
        """Add an entry whose packed data is at hand."""
        entry = ZipEntry(name, method, dos_time, crc, len(data), size, self._position)
        self.write(local_header(entry, self._dialect) + data + descriptor(entry, self._dialect))
        self._note(entry)

    def begin(self, name: bytes, dos_time: int, method: int = DEFLATED, *, expected_size: int = 0) -> ZipEntry:
        """Leave room for the header of an entry whose data is written next.

        Args:
            name: The entry's name.
            dos_time: Its packed time.
            method: STORED or DEFLATED.
            expected_size: Bytes it will have.
        """
        entry = ZipEntry(name, method, dos_time, 0, expected_size, expected_size, self._position)
        self.write(local_header(entry, self._dialect))
        return entry

    def finish(self, entry: ZipEntry, *, crc: int, size: int) -> None:
        """Complete the entry begun last: what was written since is its data."""
        output = self._output
        start = entry.offset + len(local_header(entry, self._dialect))
        done = replace(entry, crc=crc, size=size, packed=output.tell() - start)
        output.write(descriptor(done, self._dialect))
        self._position = output.tell()
        output.seek(entry.offset)
        output.write(local_header(done, self._dialect))
        output.seek(self._position)
        self._note(done)

    def write(self, piece: bytes) -> None:
        """Write data of the entry begun last."""
        self._output.write(piece)
        self._position += len(piece)

    def _note(self, entry: ZipEntry) -> None:
        self._directory.write(central_record(entry, self._dialect))
        self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._directory as directory:
            if error is not None:
                return
            offset, size = self._position, directory.tell()
            directory.seek(0)
            while chunk := directory.read(_COPY_BYTES):
                self._output.write(chunk)
            self._output.write(end_records(self._count, size, offset))
