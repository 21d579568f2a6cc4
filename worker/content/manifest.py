"""What an unpacked folder must hold, so that a file that vanished or changed since is noticed (behaviour B-46, B-57).

The list comes from the zip, whose digest was checked, and not from the folder: what security software took away or
changed the moment it was written is noticed, too.
"""

import os
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from storage.intunewin.inner_zip import UnzipLimits, open_inner_zip
from storage.intunewin.names import Kind
from storage.intunewin.paths import long_path

_CHUNK_BYTES = 1024 * 1024
#: So many are named; the others are counted.
_NAMED = 5


class _Entry(BaseModel):
    """One file: its path within the folder, its bytes, their CRC-32."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    path: str
    size: int
    crc: int


_ENTRY = TypeAdapter(_Entry)


@dataclass(frozen=True)
class Spoiled:
    """Files of a folder that are not as they were unpacked.

    Attributes:
        files: How many.
        words: Some of them, each with what is wrong.
    """

    files: int = 0
    words: str = ""

    def __bool__(self) -> bool:
        return self.files > 0


def write_manifest(plain: Path, manifest: Path) -> None:
    """Write down what the folder must hold that a zip is unpacked to, one line for each file.

    Raises:
        PackageError: The zip cannot be read.
        OSError: The list cannot be written.
    """
    with (
        plain.open("rb") as stream,
        open_inner_zip(stream, UnzipLimits()) as inner,
        manifest.open("w", encoding="utf-8") as lines,
    ):
        for entry in inner.plan:
            if entry.kind is Kind.FILE:
                listed = _Entry(path="/".join(entry.parts), size=entry.info.file_size, crc=entry.info.CRC)
                lines.write(listed.model_dump_json() + "\n")


def spoiled_files(folder: Path, manifest: Path) -> Spoiled:
    """Compare a folder with its manifest, file by file; what else lies there does not matter.

    A folder without a readable manifest is spoiled as a whole, and so is one that was given to a user: what lies in it
    now is the user's, not what was published.
    """
    if not folder.is_dir():
        return Spoiled(1, "the whole folder is missing")
    if sys.platform != "win32" and folder.stat().st_uid != os.geteuid():
        return Spoiled(1, "the whole folder is in a user's hands")
    try:
        wrong = _wrong(folder, manifest)
        named = list(islice(wrong, _NAMED))
        more = sum(1 for _ in wrong)
    except (OSError, ValueError) as error:
        return Spoiled(1, f"the list of its files cannot be read: {error}")
    return Spoiled(len(named) + more, "; ".join([*named, *([f"and {more} more"] if more else [])]))


def _wrong(folder: Path, manifest: Path) -> Iterator[str]:
    with manifest.open("rb") as lines:
        for line in lines:
            entry = _ENTRY.validate_json(line)
            words = _what_is_wrong(long_path(folder / entry.path), entry)
            if words:
                yield f"{entry.path} {words}"


def _what_is_wrong(path: Path, entry: _Entry) -> str:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.size:
                return f"has {size} bytes, expected {entry.size}"
            checksum = 0
            while chunk := file.read(_CHUNK_BYTES):
                checksum = zlib.crc32(chunk, checksum)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if checksum == entry.crc else "has changed"
