"""Packages whose seal is good and whose inner zip is hostile: what a malicious or broken packaging tool could make."""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from storage.intunewin.keys import ContentKeys
from storage.intunewin.outer_writer import write_package
from storage.intunewin.progress import UNWATCHED
from storage.intunewin.reader import read_metadata

#: Every hostile zip holds this, too, so that running it would show.
SCRIPT = ("install.sh", b'echo owned > "$HOME/owned"\n')

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_UNIX = 3
_SYMLINK = 0o120777


def zip_of(*entries: tuple[str, bytes], link: str = "") -> bytes:
    """A zip with these names as they are, however wrong; `link` is the name of a symbolic link to `/`."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings(action="ignore"):
        if link:
            info = zipfile.ZipInfo(link)
            info.create_system, info.external_attr = _UNIX, _SYMLINK << 16
            archive.writestr(info, b"/")
        for name, data in (*entries, SCRIPT):
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return output.getvalue()


def bomb(unpacked: int = 200_000_000) -> bytes:
    """A thousandth of what it unpacks to."""
    return zip_of(("zeros", bytes(unpacked)))


def crowd(entries: int = 250_000) -> bytes:
    """More files than a disk has use for."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for number in range(entries):
            archive.writestr(f"{number:x}", b"")
    return output.getvalue()


def overlapping(times: int = 5_000) -> bytes:
    """One piece of data behind many names: each entry's header points to the same place."""
    data = bytes(10_000_000)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(data) + packer.flush()
    name, crc = b"zeros", zlib.crc32(data)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(packed), len(data), len(name), 0)
    body = local + name + packed
    sizes = (crc, len(packed), len(data))
    directory = b"".join(
        _CENTRAL.pack(b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, len(name), 0, 0, 0, 0, 0, 0) + name
        for _ in range(times)
    )
    return body + directory + _END.pack(b"PK\x05\x06", 0, 0, times, times, len(directory), len(body), 0)


def with_stated_size(size: int) -> bytes:
    """An entry that says it is as large as this, and holds three megabytes of zeros."""
    honest = zip_of(("zeros", bytes(3_000_000)))
    return honest.replace(struct.pack("<L", 3_000_000), struct.pack("<L", size))


ESCAPING: dict[str, Callable[[], bytes]] = {
    "a folder up": lambda: zip_of(("../../escaped", b"x")),
    "a folder up, the other slash": lambda: zip_of(("..\\..\\escaped", b"x")),
    "up from within": lambda: zip_of(("a/../../../escaped", b"x")),
    "an absolute path": lambda: zip_of(("/tmp/outrider-escaped", b"x")),
    "a drive": lambda: zip_of(("C:\\escaped", b"x")),
    "another machine": lambda: zip_of(("\\\\server\\share\\escaped", b"x")),
    "a symbolic link": lambda: zip_of(link="root"),
    "a file behind a symbolic link": lambda: zip_of(("root/tmp/outrider-escaped", b"x"), link="root"),
    "a device's name": lambda: zip_of(("CON", b"x")),
    "a device's name with an ending": lambda: zip_of(("aux.txt", b"x")),
    "an alternate stream": lambda: zip_of(("install.sh:hidden", b"x")),
    "two names that are one in other cases": lambda: zip_of(("INSTALL.SH", b"x")),
    "one name twice": lambda: zip_of(("install.sh", b"x")),
    "a file that is a folder, too": lambda: zip_of(("install.sh/inner", b"x")),
    "a dot at the end": lambda: zip_of(("install.sh.", b"x")),
    "NUL in a name": lambda: zip_of(("a\0b", b"x")),
}

EXPLODING: dict[str, Callable[[], bytes]] = {
    "a bomb": bomb,
    "a quarter of a million entries": crowd,
    "entries that overlap": overlapping,
    "an entry larger than it says": lambda: with_stated_size(10),
    "an entry that says it has four gigabytes": lambda: with_stated_size((1 << 32) - 2),
    "a directory that is cut off": lambda: zip_of()[:-30],
}


def hostile_package(inner: bytes, good: Path, target: Path) -> Path:
    """A package in which everything is in order but its inner zip.

    Args:
        inner: The zip.
        good: A package to take the rest of the metadata from.
        target: The file to write.
    """
    metadata = read_metadata(good)
    with target.open("w+b") as output:
        write_package(
            io.BytesIO(inner),
            output,
            keys=ContentKeys.fresh(),
            packing_time=datetime(2026, 1, 1),  # noqa: DTZ001  zips have local times
            file_name=metadata.file_name,
            describe=lambda sealed: metadata.model_copy(
                update={"encryption": sealed.encryption, "unencrypted_content_size": sealed.plain_size}
            ),
            progress=UNWATCHED,
        )
    return target
