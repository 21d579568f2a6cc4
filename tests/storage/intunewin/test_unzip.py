"""Hostile archives: refused as a whole, with nothing outside the target and nothing left behind."""

import io
import os
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin import unzip as unzip_module
from storage.intunewin.unzip import UnzipLimits, UnzipSummary, unzip

UNSAFE, CORRUPT, UNWRITABLE = (
    ErrorCode.PACKAGE_UNSAFE,
    ErrorCode.PACKAGE_CORRUPT,
    ErrorCode.PACKAGE_WRITE_FAILED,
)


def zip_of(*names: str, data: bytes = b"data", method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip with these names as they are, however wrong."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", method) as archive, warnings.catch_warnings(action="ignore"):
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.compress_type = method
            archive.writestr(info, b"" if name.endswith(("/", "\\")) else data)
    return output.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def unpack(data: bytes, place: Path, limits: UnzipLimits = UnzipLimits()) -> UnzipSummary:  # noqa: B008 - frozen
    plain = place / "plain.zip"
    plain.write_bytes(data)
    return unzip(plain, place / "content", limits=limits)


def assert_refused(
    data: bytes,
    place: Path,
    code: ErrorCode,
    limits: UnzipLimits = UnzipLimits(),  # noqa: B008 - frozen
) -> PackageError:
    with pytest.raises(PackageError) as caught:
        unpack(data, place, limits)
    assert caught.value.code is code, caught.value
    assert [path.name for path in place.iterdir()] == ["plain.zip"]
    assert [path.name for path in place.parent.iterdir()] == ["place"]
    return caught.value


HOSTILE_NAMES = [
    "../escape.txt",
    "..\\escape.txt",
    "a/../../escape.txt",
    "a\\..\\..\\escape.txt",
    "a/./b",
    "/etc/cron.d/x",
    "\\windows\\x",
    "C:\\windows\\x",
    "C:x",
    "c:/x",
    "\\\\server\\share\\x",
    "//server/share/x",
    "\\\\?\\C:\\x",
    "file.txt:stream",
    "file.txt::$DATA",
    "NUL",
    "con.txt",
    "a/PRN",
    "aux .txt",
    "COM1",
    "lpt9.log",
    "COM¹.txt",
    "CONIN$",
    "trailing.",
    "trailing ",
    "dir./file",
    "dir /file",
    "a//b",
    "",
    ".",
    "..",
    "/",
    "a\x00b",
    "a\x1bb",
    "a\nb",
    "wild*card",
    "what?",
    "pipe|",
    'quo"te',
    "<a>",
    "x" * 256,
    "/".join(["deep"] * 1000),
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_refused(place: Path, name: str) -> None:
    assert_refused(zip_of("good.txt", name), place, UNSAFE)


@pytest.mark.parametrize(
    "names",
    [
        ("same.txt", "same.txt"),
        ("Same.txt", "sAME.TXT"),
        ("Dir/a", "dir/b"),
        ("ÄRGER", "ärger"),
        ("thing", "thing/file"),
        ("thing/file", "thing"),
        ("a/b", "a\\b"),
        ("empty/", "empty/"),
    ],
)
def test_names_that_meet_on_some_system_are_refused(place: Path, names: tuple[str, ...]) -> None:
    assert_refused(zip_of(*names), place, UNSAFE)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_special_files_are_refused(place: Path, kind: int) -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert_refused(output.getvalue(), place, UNSAFE)


def test_a_folder_that_carries_data_is_refused(place: Path) -> None:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = "folder/"
        info.file_size = 4
        archive.writestr(info, b"data")
    assert_refused(output.getvalue(), place, UNSAFE)


def test_a_bomb_by_ratio_is_refused_before_it_is_unpacked(place: Path) -> None:
    bomb = zip_of("zeros", data=bytes(40 << 20), method=zipfile.ZIP_DEFLATED)
    assert "zip bomb" in assert_refused(bomb, place, UNSAFE).detail
    assert unpack(bomb, place, UnzipLimits(max_ratio=2000)).bytes == 40 << 20


def test_a_bomb_by_declared_size_is_refused_before_it_is_unpacked(place: Path) -> None:
    limits = UnzipLimits(max_bytes=1000)
    assert "1001 bytes" in assert_refused(zip_of("big", data=bytes(1001)), place, UNSAFE, limits).detail


def test_a_bomb_by_count_is_refused(place: Path) -> None:
    assert_refused(zip_of(*map(str, range(11))), place, UNSAFE, UnzipLimits(max_entries=10))


def test_a_directory_too_large_to_read_is_refused(place: Path) -> None:
    data = zip_of(*map(str, range(100)))
    assert_refused(data, place, CORRUPT, UnzipLimits(max_directory_bytes=1000))


def test_entries_that_share_their_data_are_refused(place: Path) -> None:
    data = bytearray(zip_of("a", "b", data=b"x" * 100))
    second = data.rindex(b"PK\x01\x02")
    struct.pack_into("<L", data, second + 42, 0)
    assert_refused(bytes(data), place, CORRUPT)


def patched(data: bytes, offset: int, value: int) -> bytes:
    """The zip of one entry with a 32-bit field of its central record changed."""
    changed = bytearray(data)
    struct.pack_into("<L", changed, data.rindex(b"PK\x01\x02") + offset, value)
    return bytes(changed)


@pytest.mark.parametrize("size", [0, 3, 5, 1 << 20])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_declared_size_that_lies_is_refused(place: Path, size: int, method: int) -> None:
    assert_refused(patched(zip_of("file", method=method), 24, size), place, CORRUPT)


def test_a_large_file_whose_declared_size_lies_is_refused(place: Path) -> None:
    data = zip_of("file", data=os.urandom(1 << 20), method=zipfile.ZIP_DEFLATED)
    for size in ((1 << 20) - 1, (1 << 20) + 1):
        assert_refused(patched(data, 24, size), place, CORRUPT)


def test_a_wrong_crc_is_refused(place: Path) -> None:
    assert_refused(patched(zip_of("file"), 16, 1), place, CORRUPT)


def test_a_local_name_that_differs_is_refused(place: Path) -> None:
    assert_refused(zip_of("file").replace(b"file", b"evil", 1), place, CORRUPT)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_refused(place: Path, method: int) -> None:
    assert "method" in assert_refused(zip_of("file", method=method), place, CORRUPT).detail


def test_an_entry_encrypted_by_the_zip_itself_is_refused(place: Path) -> None:
    data = bytearray(zip_of("file"))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert_refused(bytes(data), place, CORRUPT)


@pytest.mark.parametrize("keep", [0, 1, 30, 60, -1])
def test_a_truncated_zip_is_refused(place: Path, keep: int) -> None:
    assert_refused(zip_of("file")[:keep], place, CORRUPT)


def test_what_other_writers_do_is_accepted(place: Path) -> None:
    names = ("dir/", "dir/sub/file.txt", "back\\slash.txt", "empty\\", ".hidden", "with space.txt", "ünï.txt")
    assert unpack(zip_of(*names), place).files == 5
    assert (place / "content" / "back" / "slash.txt").read_bytes() == b"data"
    assert (place / "content" / "empty").is_dir()


def test_an_empty_zip_makes_an_empty_folder(place: Path) -> None:
    assert unpack(zip_of(), place) == UnzipSummary(files=0, bytes=0)
    assert (place / "content").is_dir()


@pytest.mark.behaviour("B-68")
def test_long_paths_are_written(place: Path) -> None:
    name = "/".join(["a folder with a long name"] * 30) + "/file.txt"
    assert unpack(zip_of(name), place).files == 1
    assert (place / "content" / name).read_bytes() == b"data"


def test_a_target_with_something_in_it_is_left_alone(place: Path) -> None:
    (place / "content").mkdir()
    (place / "content" / "mine").touch()
    with pytest.raises(PackageError) as caught:
        unpack(zip_of("file"), place)
    assert caught.value.code is UNWRITABLE
    assert [path.name for path in (place / "content").iterdir()] == ["mine"]


def test_a_link_at_the_target_is_not_followed(place: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (place / "content").symlink_to(elsewhere)
    with pytest.raises(PackageError):
        unpack(zip_of("file"), place)
    assert not list(elsewhere.iterdir())


def test_an_empty_folder_at_the_target_is_used(place: Path) -> None:
    (place / "content").mkdir()
    assert unpack(zip_of("file"), place).files == 1


def test_a_disk_too_small_is_noticed_before_anything_is_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unzip_module, "_SPARE_BYTES", 1 << 60)
    assert "are free" in assert_refused(zip_of("file"), place, UNWRITABLE).detail


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_a_disk_that_fills_up_undoes_everything(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unzip_module, "long_path", lambda path: Path("/dev/full") if path.name == "file" else path)
    real_open = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, mode="r", *rest, **more: real_open(path, mode.replace("x", "w"), *rest, **more)
    )
    for data in (b"small", os.urandom(1 << 20)):
        error = assert_refused(zip_of("other", "file", data=data), place, UNWRITABLE)
        assert "No space left" in error.detail


def test_a_target_that_cannot_be_made_is_refused(place: Path) -> None:
    (place / "plain.zip").write_bytes(zip_of("file"))
    with pytest.raises(PackageError) as caught:
        unzip(place / "plain.zip", place / "plain.zip" / "content")
    assert caught.value.code is UNWRITABLE


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(place: Path) -> None:
    (place / "plain.zip").write_bytes(zip_of("file"))
    place.chmod(0o500)
    try:
        with pytest.raises(PackageError) as caught:
            unzip(place / "plain.zip", place / "content")
    finally:
        place.chmod(0o700)
    assert caught.value.code is UNWRITABLE


NAMES = st.lists(st.sampled_from(["a", "B", "b", "..", ".", "", "NUL", "x.", "c:", "é"]), max_size=4).flatmap(
    lambda parts: st.sampled_from(["/", "\\"]).map(lambda separator: separator.join(parts))
)


@settings(deadline=None)
@given(names=st.lists(NAMES, max_size=5))
def test_whatever_the_names_nothing_lands_outside(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    place = tmp_path_factory.mktemp("names") / "place"
    place.mkdir()
    try:
        unpack(zip_of(*names), place)
    except PackageError:
        assert [path.name for path in place.iterdir()] == ["plain.zip"]
    assert [path.name for path in place.parent.iterdir()] == ["place"]
    assert {path.name for path in place.iterdir()} <= {"plain.zip", "content"}
