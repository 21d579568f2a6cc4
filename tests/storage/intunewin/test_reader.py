"""Packages of every writer: the outer zip is found through slashes, case, compression and wrong names."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.builder import BuildResult
from storage.intunewin.detection_xml import write_detection_xml
from storage.intunewin.diff import compare
from storage.intunewin.extract import extract_package
from storage.intunewin.listing import list_package
from storage.intunewin.reader import open_blob, read_metadata
from storage.intunewin.verify import verify_package


class Unseekable(io.RawIOBase):
    """What a Go writer streams into: entries get data descriptors."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += bytes(data)  # type: ignore[call-overload]  # any buffer
        return len(bytes(data))  # type: ignore[call-overload]


@pytest.fixture
def parts(build: Callable[..., BuildResult]) -> tuple[BuildResult, bytes, bytes]:
    """A package and its two entries."""
    result = build()
    with zipfile.ZipFile(result.path) as outer:
        blob, xml = (outer.read(name) for name in outer.namelist())
    return result, blob, xml


def repack(path: Path, entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as outer:
        for name, data in entries:
            info = zipfile.ZipInfo("placeholder")
            info.filename, info.compress_type = name, method
            outer.writestr(info, data)
    return path


def oddities(path: Path) -> str:
    return " ".join(verify_package(path).oddities)


def test_a_package_of_ours_has_nothing_unusual(package: Path) -> None:
    assert oddities(package) == ""


@pytest.mark.parametrize(
    ("names", "method", "unusual"),
    [
        (("IntuneWinPackage\\Contents\\x", "IntuneWinPackage\\Metadata\\Detection.xml"), 0, "backslashes"),
        (("intunewinpackage/contents/x", "INTUNEWINPACKAGE/METADATA/DETECTION.XML"), 0, ""),
        (("IntuneWinPackage/Contents/x", "IntuneWinPackage/Metadata/Detection.xml"), 8, "compressed"),
    ],
)
def test_other_writers_outer_zips_are_read(
    parts: tuple[BuildResult, bytes, bytes], tmp_path: Path, names: tuple[str, str], method: int, unusual: str
) -> None:
    result, blob, xml = parts
    path = repack(tmp_path / "other.intunewin", list(zip(names, (blob, xml), strict=True)), method)
    assert read_metadata(path) == result.metadata
    with open_blob(path) as opened:
        assert (opened.stream.read(), opened.size) == (blob, len(blob))
    assert unusual in oddities(path)


def test_sizes_behind_the_data_are_read(parts: tuple[BuildResult, bytes, bytes], tmp_path: Path) -> None:
    result, blob, xml = parts
    stream = Unseekable()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as outer:
        outer.writestr("IntuneWinPackage/Contents/a.intunewin", blob)
        outer.writestr("IntuneWinPackage/Metadata/Detection.xml", xml)
    path = tmp_path / "streamed.intunewin"
    path.write_bytes(stream.data)
    assert extract_package(path, tmp_path / "content").files == result.files
    assert "behind its data" in oddities(path)


@pytest.mark.parametrize(
    ("change", "unusual"),
    [
        ({"file_name": "C:\\Users\\me\\IntunePackage.intunewin"}, "whole path"),
        ({"setup_file": "INSTALL.SH"}, "is written install.sh"),
        ({"setup_file": "missing.exe"}, "is not in the content"),
        ({"tool_version": ""}, "names no tool version"),
        ({"tool_version": "1.4.0.0"}, "old tools"),
        ({"name": ""}, "gives no name"),
    ],
)
def test_unusual_metadata_is_accepted_and_named(
    parts: tuple[BuildResult, bytes, bytes], tmp_path: Path, change: dict[str, str], unusual: str
) -> None:
    result, blob, _ = parts
    xml = write_detection_xml(result.metadata.model_copy(update=change))
    names = ("IntuneWinPackage/Contents/x", "IntuneWinPackage/Metadata/Detection.xml")
    path = repack(tmp_path / "odd.intunewin", list(zip(names, (blob, xml), strict=True)))
    assert unusual in oddities(path)
    extract_package(path, tmp_path / "content")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["content", "odd.intunewin", "out", "source"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ((), ErrorCode.PACKAGE_NOT_A_PACKAGE),
        (("IntuneWinPackage/Contents/x",), ErrorCode.PACKAGE_NOT_A_PACKAGE),
        (("IntuneWinPackage/Metadata/Detection.xml",), ErrorCode.PACKAGE_NOT_A_PACKAGE),
        (
            ("IntuneWinPackage/Contents/x", "IntuneWinPackage/Contents/y", "IntuneWinPackage/Metadata/Detection.xml"),
            ErrorCode.PACKAGE_CORRUPT,
        ),
        (
            (
                "IntuneWinPackage/Contents/x",
                "IntuneWinPackage/Metadata/Detection.xml",
                "IntuneWinPackage\\Metadata\\Detection.xml",
            ),
            ErrorCode.PACKAGE_CORRUPT,
        ),
    ],
)
def test_a_package_with_missing_or_doubled_parts_is_refused(
    parts: tuple[BuildResult, bytes, bytes], tmp_path: Path, names: tuple[str, ...], code: ErrorCode
) -> None:
    _, blob, xml = parts
    path = repack(tmp_path / "odd.intunewin", [(name, xml if "Metadata" in name else blob) for name in names])
    with pytest.raises(PackageError) as caught:
        verify_package(path)
    assert caught.value.code is code


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x05\x06", bytes(100), b"PK\x05\x06" + bytes(18)])
def test_what_is_no_package_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.intunewin"
    path.write_bytes(content)
    for read in (read_metadata, verify_package):
        with pytest.raises(PackageError) as caught:
            read(path)
        assert caught.value.code is ErrorCode.PACKAGE_NOT_A_PACKAGE


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(PackageError) as caught:
            read_metadata(path)
        assert caught.value.code is ErrorCode.PACKAGE_NOT_A_PACKAGE
        assert caught.value.place == str(path)


def test_a_compressed_entry_that_claims_too_much_is_refused(
    parts: tuple[BuildResult, bytes, bytes], tmp_path: Path
) -> None:
    _, _, xml = parts
    names = ("IntuneWinPackage/Contents/x", "IntuneWinPackage/Metadata/Detection.xml")
    path = repack(
        tmp_path / "bomb.intunewin", list(zip(names, (bytes(50 << 20), xml), strict=True)), zipfile.ZIP_DEFLATED
    )
    with pytest.raises(PackageError) as caught:
        verify_package(path)
    assert caught.value.code is ErrorCode.PACKAGE_CORRUPT


def test_a_wrong_key_is_named_as_such_and_not_as_a_broken_zip(
    parts: tuple[BuildResult, bytes, bytes], tmp_path: Path
) -> None:
    result, blob, _ = parts
    encryption = result.metadata.encryption.model_copy(update={"encryption_key": bytes(32)})
    xml = write_detection_xml(result.metadata.model_copy(update={"encryption": encryption}))
    names = ("IntuneWinPackage/Contents/x", "IntuneWinPackage/Metadata/Detection.xml")
    path = repack(tmp_path / "odd.intunewin", list(zip(names, (blob, xml), strict=True)))
    with pytest.raises(PackageError, match=r"encryption key|digest"):
        extract_package(path, tmp_path / "content")


def test_a_wrong_outer_crc_is_named_as_unusual(package: Path) -> None:
    data = bytearray(package.read_bytes())
    at = data.index(b"PK\x01\x02") + 16
    data[at] ^= 1
    package.write_bytes(data)
    assert "CRC" in oddities(package)


def test_every_real_package_verifies(real_packages: list[Path]) -> None:
    for path in real_packages:
        report = verify_package(path)
        assert report.files >= 1
        assert not [oddity for oddity in report.oddities if "old" not in oddity], path.name


def test_a_real_detached_blob_verifies(detached: tuple[Path, Path]) -> None:
    blob, xml = detached
    assert verify_package(blob, detection_xml=xml).oddities == ()


def test_two_builds_of_the_same_folder_hold_the_same(build: Callable[..., BuildResult], source: Path) -> None:
    first = list_package(build(name="first").path, digests=True)
    second = list_package(build(name="second", fast=True).path, digests=True)
    assert compare(first, second).is_same
    (source / "Files" / "Data.bin").unlink()
    (source / "empty.txt").write_text("filled")
    found = compare(first, list_package(build(name="third").path, digests=True))
    assert (found.removed, found.changed, found.added) == (("Files/Data.bin",), ("empty.txt",), ())


def test_a_device_reads_packages_without_what_building_needs() -> None:
    code = """
import sys
for name in ("isal", "pymsi", "pathspec"):
    sys.modules[name] = None
import storage.intunewin.blob, storage.intunewin.extract, storage.intunewin.unzip
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path.cwd())
