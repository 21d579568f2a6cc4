"""What is unusual about a package that can still be read (package 1.1 to 1.4, 1.8): sentences, not errors."""

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from storage.intunewin.blob import chunks
from storage.intunewin.detection_xml import write_detection_xml
from storage.intunewin.inner_zip import PlannedEntry
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.names import Kind, fold
from storage.intunewin.options import LONG_PATH, MAX_PACKAGE_BYTES
from storage.intunewin.package_file import PackageFile
from storage.intunewin.reader import OuterZip
from storage.intunewin.zip_records import OLD_INNER

_USUAL_ENTRIES = 2
_UTF8_FLAG = 0x0800
_DESCRIPTOR_FLAG = 0x0008
_OLD_TOOL = re.compile(r"1\.([0-7]\.|8\.[0-2]\.)")


def package_oddities(package: PackageFile, plan: Sequence[PlannedEntry]) -> Iterator[str]:
    """Everything unusual, outermost first."""
    if package.outer is not None:
        yield from outer_oddities(package.outer, package.blob.again(), package.path.stat().st_size)
        yield from _xml_oddities(package.outer.metadata_bytes(), package.metadata)
    yield from metadata_oddities(package.metadata)
    yield from content_oddities(package.metadata, plan)


def outer_oddities(outer: OuterZip, blob: BinaryIO, package_bytes: int) -> Iterator[str]:
    """How the outer zip differs from the one Microsoft's tool writes."""
    if package_bytes > MAX_PACKAGE_BYTES:
        yield f"The package has {package_bytes} bytes; Intune takes at most {MAX_PACKAGE_BYTES}."
    if len(outer.entries) != _USUAL_ENTRIES:
        yield f"The outer zip has {len(outer.entries)} entries; a package has {_USUAL_ENTRIES}."
    entry = outer.blob_entry()
    if outer.entries[0] is not entry:
        yield "The outer zip does not start with the encrypted content."
    for info in outer.entries:
        if info.compress_type != zipfile.ZIP_STORED:
            yield f"The outer entry {info.orig_filename} is compressed; some readers take only stored ones."
        if info.flag_bits & _DESCRIPTOR_FLAG:
            yield f"The outer entry {info.orig_filename} has its sizes behind its data: not Microsoft's tool."
        if "\\" in info.orig_filename:
            yield f"The outer entry {info.orig_filename} is named with backslashes."
    if _crc(blob) != entry.CRC:
        yield "The outer zip's CRC of the encrypted content is wrong, although the MAC holds."


def metadata_oddities(metadata: PackageMetadata) -> Iterator[str]:
    """What Detection.xml says that is unusual."""
    if not metadata.tool_version:
        yield "Detection.xml names no tool version."
    elif _OLD_TOOL.match(metadata.tool_version):
        yield f"It states the tool version {metadata.tool_version}; Intune's portal warns about old tools."
    if "\\" in metadata.file_name or "/" in metadata.file_name:
        yield f"FileName holds a whole path, which is ignored: {metadata.file_name}"
    if not metadata.name:
        yield "Detection.xml gives no name."


def content_oddities(metadata: PackageMetadata, plan: Sequence[PlannedEntry]) -> Iterator[str]:
    """How the inner zip differs from the one Microsoft's current tool writes."""
    yield from _setup_oddities(metadata.setup_file, plan)
    if any("/" in entry.info.orig_filename for entry in plan):
        yield "Names in the inner zip have forward slashes: not Microsoft's tool."
    if plan and all(entry.info.flag_bits == OLD_INNER.flags for entry in plan):
        yield "The inner zip has the layout of the oldest tools."
    elif any(not entry.info.flag_bits & _UTF8_FLAG for entry in plan):
        yield "Names in the inner zip are not marked as UTF-8: not Microsoft's current tool."
    if any(entry.info.flag_bits & _DESCRIPTOR_FLAG and entry.info.file_size < 1 << 32 for entry in plan):
        yield "Entries of the inner zip have their sizes behind their data: not Microsoft's tool."
    for entry in plan:
        if len(entry.info.orig_filename) > LONG_PATH:
            yield f"A path of {len(entry.info.orig_filename)} characters may fail: {entry.info.orig_filename}"


def _setup_oddities(setup_file: str, plan: Sequence[PlannedEntry]) -> Iterator[str]:
    wanted = setup_file.replace("/", "\\")
    names = ["\\".join(entry.parts) for entry in plan if entry.kind is Kind.FILE]
    if wanted in names:
        return
    similar = next((name for name in names if fold(name) == fold(wanted)), None)
    if similar is None:
        yield f"The setup file {setup_file} is not in the content."
    else:
        yield f"The setup file {setup_file} is written {similar} in the content."


def _xml_oddities(data: bytes, metadata: PackageMetadata) -> Iterator[str]:
    if data != write_detection_xml(metadata):
        yield "Detection.xml is not written as Microsoft's tool writes it: whitespace, order or additional elements."


def _crc(stream: BinaryIO) -> int:
    crc = 0
    for chunk in chunks(stream):
        crc = zlib.crc32(chunk, crc)
    return crc
