"""Open a package: its metadata and its encrypted blob, from whatever writer (package 1.1, 1.8)."""

import io
import os
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Self

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.detection_xml import MAX_XML_BYTES, parse_detection_xml
from storage.intunewin.failures import corrupt, reading
from storage.intunewin.file_slice import FileSlice
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.zip_guard import ZIP_FAILURES, guard_directory

CONTENTS_FOLDER = "IntuneWinPackage/Contents/"
METADATA_NAME = "IntuneWinPackage/Metadata/Detection.xml"

#: Two entries are all a package has; room for what other writers add.
_MAX_DIRECTORY_BYTES = 1 << 20
_COPY_BYTES = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s22sHH")
_ENCRYPTED_FLAG = 0x1


@dataclass(frozen=True)
class Blob:
    """The encrypted blob of a package.

    Attributes:
        stream: The blob from its first byte, seekable; open as long as the context is.
        size: Its length in bytes.
        file: The file it lies in.
        start: Where in the file it starts.
    """

    stream: BinaryIO
    size: int
    file: BinaryIO
    start: int

    @classmethod
    def inside(cls, file: BinaryIO, start: int, size: int) -> Self:
        """The blob that is a part of an open file."""
        return cls(io.BufferedReader(FileSlice(file, start, size), _COPY_BYTES), size, file, start)

    @classmethod
    def whole(cls, file: BinaryIO) -> Self:
        """The blob that is an open file."""
        return cls.inside(file, 0, file.seek(0, io.SEEK_END))

    def again(self) -> BinaryIO:
        """A second stream of the same bytes, for another thread."""
        return Blob.inside(self.file, self.start, self.size).stream


def read_metadata(path: Path) -> PackageMetadata:
    """The metadata of the package, or of a Detection.xml that lies by itself.

    Raises:
        PackageError: The file cannot be read, is no package, or its metadata is broken.
    """
    if path.suffix.lower() == ".xml":
        with reading(path), path.open("rb") as file:
            data = _bounded(file)
        return parse_detection_xml(data)
    with open_outer(path) as outer:
        return outer.metadata()


@contextmanager
def open_blob(path: Path) -> Iterator[Blob]:
    """The encrypted blob inside the package, without copying it where it is stored uncompressed.

    Raises:
        PackageError: The file cannot be read, is no package, or holds no single blob.
    """
    with open_outer(path) as outer, outer.blob() as blob:
        yield blob


@contextmanager
def open_outer(path: Path) -> Iterator["OuterZip"]:
    """The package's outer zip.

    Raises:
        PackageError: The file cannot be read or is no package.
    """
    with reading(path):
        file = path.open("rb")
    with file, _archive(file, path) as archive:
        yield OuterZip(archive, file, path)


def _archive(file: BinaryIO, path: Path) -> zipfile.ZipFile:
    try:
        with reading(path):
            guard_directory(file, max_bytes=_MAX_DIRECTORY_BYTES)
            return zipfile.ZipFile(file)
    except ZIP_FAILURES as error:
        detail = f"its outer zip cannot be read: {error}"
        raise PackageError(ErrorCode.PACKAGE_NOT_A_PACKAGE, detail=detail, place=str(path)) from error


class OuterZip:
    """The outer zip of a package: two entries, found whatever slashes or case the writer used.

    Attributes:
        entries: What the zip lists, in its order.
    """

    def __init__(self, archive: zipfile.ZipFile, file: BinaryIO, path: Path) -> None:
        self._archive = archive
        self._file = file
        self._path = path
        self.entries = archive.infolist()

    def metadata(self) -> PackageMetadata:
        """The content of Detection.xml.

        Raises:
            PackageError: It is missing, doubled or broken.
        """
        return parse_detection_xml(self.metadata_bytes())

    def metadata_bytes(self) -> bytes:
        """Detection.xml as it stands in the package.

        Raises:
            PackageError: It is missing, doubled or cannot be read.
        """
        info = self._single(lambda name: name == METADATA_NAME.lower(), METADATA_NAME)
        with self._reading(info), self._archive.open(info) as stream:
            return _bounded(stream)

    def blob_entry(self) -> zipfile.ZipInfo:
        """The entry that holds the blob.

        Raises:
            PackageError: There is none, or more than one.
        """
        folder = CONTENTS_FOLDER.lower()
        return self._single(lambda name: name.startswith(folder) and not name.endswith("/"), f"{CONTENTS_FOLDER}*")

    @contextmanager
    def blob(self) -> Iterator[Blob]:
        """The blob; an entry some writer compressed is first unpacked into a private temporary file.

        Raises:
            PackageError: The entry is missing or broken.
        """
        info = self.blob_entry()
        if info.compress_type == zipfile.ZIP_STORED:
            with self._reading(info):
                start = self._stored_at(info)
            yield Blob.inside(self._file, start, info.file_size)
        else:
            with tempfile.TemporaryFile() as copy:
                self._inflate(info, copy)
                yield Blob.whole(copy)

    def _stored_at(self, info: zipfile.ZipInfo) -> int:
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise corrupt("its local header is missing", info.orig_filename)
        name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)[2:]
        start: int = info.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
        if info.compress_size != info.file_size or info.flag_bits & _ENCRYPTED_FLAG:
            raise corrupt("a stored entry has two sizes or is encrypted by the zip itself", info.orig_filename)
        if start + info.file_size > os.fstat(self._file.fileno()).st_size:
            raise corrupt("the file ends before the entry does", info.orig_filename)
        return start

    def _inflate(self, info: zipfile.ZipInfo, copy: BinaryIO) -> None:
        # Ciphertext does not shrink: a real blob is no larger than what carries it.
        if info.file_size > 2 * info.compress_size + _COPY_BYTES:
            raise corrupt("the compressed entry claims to be far larger than ciphertext can be", info.orig_filename)
        with self._reading(info), self._archive.open(info) as stream:
            while chunk := stream.read(_COPY_BYTES):
                copy.write(chunk)
        if copy.tell() != info.file_size:
            raise corrupt(f"{copy.tell()} bytes, its entry says {info.file_size}", info.orig_filename)
        copy.flush()

    def _single(self, wanted: Callable[[str], bool], what: str) -> zipfile.ZipInfo:
        found = [info for info in self.entries if wanted(info.orig_filename.replace("\\", "/").lower())]
        if not found:
            detail = f"it has no entry {what}"
            raise PackageError(ErrorCode.PACKAGE_NOT_A_PACKAGE, detail=detail, place=str(self._path))
        if found[0].header_offset < 0:
            raise corrupt("its directory points before the start of the file", str(self._path))
        if len(found) > 1:
            raise corrupt(f"{len(found)} entries match {what}, expected one", str(self._path))
        return found[0]

    @contextmanager
    def _reading(self, info: zipfile.ZipInfo) -> Iterator[None]:
        try:
            yield
        except ZIP_FAILURES as error:
            raise corrupt(f"the entry cannot be read: {error}", info.orig_filename) from error


def _bounded(stream: IO[bytes]) -> bytes:
    return stream.read(MAX_XML_BYTES + 1)
