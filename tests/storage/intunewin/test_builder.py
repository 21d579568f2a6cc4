"""What goes into a package, in which order, and what never does."""

import os
import threading
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin import inner_writer
from storage.intunewin.builder import BuildResult, build_package
from storage.intunewin.listing import list_package
from storage.intunewin.options import BuildOptions
from storage.intunewin.package_file import open_package
from storage.intunewin.source_file import read_whole
from storage.intunewin.tree import SourceEntry

Build = Callable[..., BuildResult]


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(name)


def names_in(package: Path) -> list[str]:
    return [file.name for file in list_package(package).files]


def refused(source: Path, setup: str, output: Path, options: BuildOptions = BuildOptions()) -> PackageError:  # noqa: B008
    with pytest.raises(PackageError) as caught:
        build_package(source, setup, output, options=options)
    assert not output.exists()
    return caught.value


def test_the_order_is_the_formats(tmp_path: Path) -> None:
    root = tmp_path / "s"
    make(root, "b.txt", "A.txt", "_x", "a/z.txt", "a/B/deep.txt", "a/empty/", "Z/", "é.txt", "INSTALL2", "Install.ps1")
    package = build_package(root, "b.txt", tmp_path / "o").path
    assert names_in(package) == [
        "A.txt",
        "b.txt",
        "Install.ps1",
        "INSTALL2",
        "Z/",
        "_x",
        "é.txt",
        "a/empty/",
        "a/z.txt",
        "a/B/deep.txt",
    ]


def test_times_are_local_and_of_the_file(source: Path, tmp_path: Path) -> None:
    moment = datetime(2001, 2, 3, 4, 5, 6)  # noqa: DTZ001 - zip times carry no zone
    os.utime(source / "install.sh", (moment.timestamp(), moment.timestamp()))
    for name, stamp in (("empty.txt", 0), ("Files/Data.bin", 5e9)):
        os.utime(source / name, (stamp, stamp))
    listed = {
        file.name: file.modified for file in list_package(build_package(source, "install.sh", tmp_path).path).files
    }
    assert listed["install.sh"] == moment
    assert listed["empty.txt"] == datetime(1980, 1, 1)  # noqa: DTZ001
    assert listed["Files/Data.bin"] == datetime(2107, 12, 31, 23, 59, 58)  # noqa: DTZ001


@pytest.mark.parametrize("given", ["Files/deep/x.exe", "Files\\deep\\x.exe", "./Files//deep/x.exe", "absolute"])
def test_the_setup_file_is_found_however_it_is_given(source: Path, tmp_path: Path, given: str) -> None:
    make(source, "Files/deep/x.exe")
    setup = str(source / "Files/deep/x.exe") if given == "absolute" else given
    result = build_package(source, setup, tmp_path / "o")
    assert (result.metadata.setup_file, result.metadata.name) == ("Files\\deep\\x.exe", "x.exe")
    assert result.path.name == "x.intunewin"


def test_litter_stays_out_unless_it_is_wanted(source: Path, build: Build) -> None:
    make(source, ".git/HEAD", "sub/.DS_Store", "sub/Thumbs.db", "sub/keep.txt", ".hidden", "desktop.ini")
    result = build()
    assert {".hidden", "desktop.ini", "sub/keep.txt"} <= set(names_in(result.path))
    assert set(result.ignored) == {".git/", "sub/.DS_Store", "sub/Thumbs.db"}
    assert ".git/HEAD" in names_in(build(default_ignores=False).path)


def test_the_ignore_file_speaks_gitignore_and_wins(source: Path, build: Build) -> None:
    make(source, "a.log", "keep.log", "sub/b.log", "build/x", "sub/Thumbs.db")
    (source / ".outriderignore").write_text("*.log\n!keep.log\n/build/\n!Thumbs.db\n")
    packed = set(names_in(build().path))
    assert {"keep.log", "sub/Thumbs.db"} <= packed
    assert not packed & {"a.log", "sub/b.log", "build/x", ".outriderignore"}


def test_an_ignored_setup_file_is_refused(source: Path, tmp_path: Path) -> None:
    (source / ".outriderignore").write_text("*.sh\n")
    assert "ignore pattern" in refused(source, "install.sh", tmp_path / "o").detail


def test_a_package_built_into_its_own_source_does_not_hold_itself(source: Path) -> None:
    before = build_package(source, "install.sh", source)
    again = build_package(source, "install.sh", source)
    assert names_in(before.path) == names_in(again.path)
    assert [path.name for path in source.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("setup", "place"), [("none.exe", "none.exe"), ("../outside.exe", "../outside.exe"), ("Files", "Files"), (".", ".")]
)
def test_a_missing_setup_file_is_refused(source: Path, tmp_path: Path, setup: str, place: str) -> None:
    (tmp_path / "outside.exe").touch()
    error = refused(source, setup, tmp_path / "o")
    assert (error.code, error.place) == (ErrorCode.PACKAGE_SOURCE_MISSING, place)


def test_a_missing_source_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none", "x", tmp_path / "o").place == str(tmp_path / "none")


@pytest.mark.parametrize("name", ["a:b", "NUL", "trailing.", "back\\slash", "tab\tname", "con.txt"])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_windows_cannot_hold_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    (source / "Files" / name).touch()
    error = refused(source, "install.sh", tmp_path / "o")
    assert (error.code, error.place) == (ErrorCode.PACKAGE_SOURCE_UNUSABLE, str(source / "Files" / name))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_differ_by_case_alone_are_refused(source: Path, tmp_path: Path) -> None:
    make(source, "Readme", "README")
    assert "by case alone" in refused(source, "install.sh", tmp_path / "o").detail


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes")
def test_special_files_and_links_that_lead_out_are_refused(source: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").touch()
    odd = source / "odd"
    for target in (None, tmp_path / "outside", Path("nowhere"), source / "Files", odd):
        if target is None:
            os.mkfifo(odd)
        else:
            odd.symlink_to(target)
        assert refused(source, "install.sh", tmp_path / "o").code is ErrorCode.PACKAGE_SOURCE_UNUSABLE
        odd.unlink()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_inside_the_source_is_packed_as_its_content(source: Path, tmp_path: Path) -> None:
    (source / "link.sh").symlink_to("install.sh")
    result = build_package(source, "install.sh", tmp_path / "o")
    listed = {file.name: file.digest for file in list_package(result.path, digests=True).files}
    assert listed["link.sh"] == listed["install.sh"]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("change", ["grow", "shrink", "vanish", "touch"])
def test_a_file_that_changes_while_it_is_packed_is_noticed(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, large: bool
) -> None:
    victim = source / ("Files/big.txt" if large else "empty.txt")
    victim.write_bytes(b"x" * (3_000_000 if large else 10))

    def changed(entries: list[SourceEntry], *rest: object) -> object:
        listed = list(entries)
        match change:
            case "grow":
                victim.write_bytes(b"x" * (victim.stat().st_size + 1))
            case "shrink":
                victim.write_bytes(b"x")
            case "vanish":
                victim.unlink()
            case _:
                os.utime(victim, (1, 1))
        return real(listed, *rest)  # type: ignore[arg-type]

    real = inner_writer.write_inner_zip
    monkeypatch.setattr("storage.intunewin.builder.write_inner_zip", changed)
    error = refused(source, "install.sh", tmp_path / "o")
    assert (error.code, error.place) == (ErrorCode.PACKAGE_SOURCE_CHANGED, str(victim))


def test_a_file_that_changes_between_two_reads_is_noticed(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = source / "install.sh"
    entry = SourceEntry(file, "install.sh", file.stat())
    real = os.fstat
    calls = iter((True, False))
    monkeypatch.setattr(os, "fstat", lambda number: real(number) if next(calls, False) else source.stat())
    with pytest.raises(PackageError) as caught:
        read_whole(entry)
    assert caught.value.code is ErrorCode.PACKAGE_SOURCE_CHANGED


def test_an_output_that_cannot_be_written_is_refused(source: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(PackageError) as caught:
        build_package(source, "install.sh", blocked / "o")
    assert caught.value.code is ErrorCode.PACKAGE_WRITE_FAILED


@pytest.mark.parametrize("name", ["../up", "a/b", "a\\b", "NUL", "..", "x:y"])
def test_a_name_that_is_none_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    error = refused(source, "install.sh", tmp_path / "o", BuildOptions(name=name))
    assert (error.code, error.place) == (ErrorCode.PACKAGE_WRITE_FAILED, name)


def test_a_name_may_carry_the_suffix(build: Build) -> None:
    assert build(name="mine.intunewin").path.name == build(name="mine").path.name == "mine.intunewin"


def test_a_failed_build_leaves_an_older_package_alone(source: Path, build: Build) -> None:
    package = build().path
    before = package.read_bytes()
    (source / "con.txt").touch()
    with pytest.raises(PackageError):
        build()
    assert package.read_bytes() == before
    assert [path.name for path in package.parent.iterdir()] == [package.name]


def test_reproducible_builds_are_equal_and_depend_on_secret_and_content(source: Path, build: Build) -> None:
    def bytes_of(secret: bytes, name: str) -> bytes:
        options: dict[str, object] = {"reproducible_secret": secret, "packing_time": None, "name": name}
        return build(**options).path.read_bytes()

    first = bytes_of(b"one secret", "a")
    os.utime(source / "install.sh", (1, 1))
    assert bytes_of(b"one secret", "b") == first
    assert bytes_of(b"another secret", "c") != first
    (source / "install.sh").write_text("changed")
    key = build(reproducible_secret=b"one secret").metadata.encryption.encryption_key
    (source / "install.sh").write_text("again")
    assert build(reproducible_secret=b"one secret").metadata.encryption.encryption_key != key


def test_fresh_builds_never_share_keys(build: Build) -> None:
    first, second = build().metadata.encryption, build().metadata.encryption
    assert first.encryption_key != second.encryption_key
    assert first.mac_key != second.mac_key
    assert first.initialization_vector != second.initialization_vector


def test_catalogues_come_first_in_a_folder_of_their_own(build: Build, tmp_path: Path) -> None:
    make(tmp_path / "catalogs", "b.cat", "a.CAT", "readme.txt")
    names = names_in(build(catalogs=tmp_path / "catalogs").path)
    assert names[0].startswith("Cat_")
    assert [name.partition("/")[2] for name in names[:2]] == ["a.CAT", "b.cat"]
    assert len(names) == 8
    with pytest.raises(PackageError) as caught:
        build(catalogs=tmp_path / "none")
    assert caught.value.code is ErrorCode.PACKAGE_SOURCE_MISSING


@pytest.mark.parametrize("fast", [False, True])
def test_many_files_and_threads_keep_their_order_and_content(tmp_path: Path, fast: bool) -> None:
    root = tmp_path / "s"
    for index in range(500):
        make(root, f"{index % 7}/{index:04}.txt")
    (root / "0" / "0100.bin").write_bytes(os.urandom(2_000_000))
    before = set(threading.enumerate())
    package = build_package(root, "0/0000.txt", tmp_path / "o", options=BuildOptions(fast=fast)).path
    with open_package(package) as opened, opened.plain() as plain, zipfile.ZipFile(plain.stream) as inner:
        assert inner.testzip() is None
        names = [info.filename for info in inner.infolist()]
        assert names == sorted(names)
        for name in names[::50]:
            assert inner.read(name) == (root / name.replace("\\", "/")).read_bytes()
    assert set(threading.enumerate()) <= before
