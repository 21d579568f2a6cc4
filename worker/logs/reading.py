"""Reading the JSON lines back: over closed files, in order, in bounded memory, and on while they are written."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from worker.logs.rotation import rotated

Event = dict[str, Any]

#: What names a file whatever it is called: closing one renames it.
_Identity = tuple[int, int]


def events(path: Path, *, more: Callable[[], bool] = lambda: False) -> Iterator[Event]:
    """Every event of a log, the oldest first.

    Args:
        path: The file that is written; closed files lie beside it.
        more: Asked at the end of all there is: waits a while and says whether to look for more.
    """
    read: _Identity | None = None
    while True:
        file = _open_after(path, read)
        if file is None:
            # Nothing was ever written, or the next file is just being made.
            if not more():
                return
            continue
        with file:
            read = _identity(os.fstat(file.fileno()))
            reading = _Reading(file, path, read)
            yield from map(_event, reading.lines(more))
        if reading.is_last:
            return


class _Reading:
    """One file on its way to its end.

    Attributes:
        is_last: No file followed it when nobody wanted more.
    """

    def __init__(self, file: BinaryIO, path: Path, identity: _Identity) -> None:
        self._file = file
        self._path = path
        self._identity = identity
        self.is_last = True

    def lines(self, more: Callable[[], bool]) -> Iterator[bytes]:
        """The file's lines, until another file follows it or nobody wants more."""
        rest = b""
        while True:
            # Looked at before reading to the end: what is written until the file is closed must not be missed.
            self.is_last = not _follows(self._path, self._identity)
            for piece in self._file:
                rest += piece
                if rest.endswith(b"\n"):
                    yield rest
                    rest = b""
            if not self.is_last or not more():
                break
        if rest:
            yield rest


def _event(line: bytes) -> Event:
    text = line.decode("utf-8", errors="replace").rstrip()
    try:
        event = json.loads(text)
    except ValueError:
        event = None
    # A line that a power cut tore is shown as what is left of it.
    return event if isinstance(event, dict) else {"event": text}


def _open_after(path: Path, read: _Identity | None) -> BinaryIO | None:
    """The file that follows the one read last; None where there is none yet."""
    for candidate in _after(path, read):
        try:
            return candidate.open("rb")
        except FileNotFoundError:
            # It was closed or removed meanwhile: the next look finds it under another name.
            return None
    return None


def _follows(path: Path, read: _Identity) -> bool:
    return bool(_after(path, read))


def _after(path: Path, read: _Identity | None) -> list[Path]:
    """The files after the one read last, the oldest first; all where that one is gone."""
    known = [(file, _identity(status)) for file in (*rotated(path), path) if (status := _status(file)) is not None]
    identities = [identity for _, identity in known]
    begin = identities.index(read) + 1 if read in identities else 0
    return [file for file, _ in known[begin:]]


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result) -> _Identity:
    return status.st_dev, status.st_ino
