"""What goes in comes out, and bytes equal those of Microsoft's tool."""

import contextlib
import os
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import PackageError
from storage.intunewin.blob import decrypt_blob
from storage.intunewin.builder import BuildResult, build_package
from storage.intunewin.extract import extract_package
from storage.intunewin.keys import ContentKeys
from storage.intunewin.metadata import PackageMetadata
from storage.intunewin.names import Kind, NameTable, component_problem
from storage.intunewin.options import BuildOptions, Layout
from storage.intunewin.reader import open_blob, read_metadata
from storage.intunewin.unzip import unzip


def paths_and_bytes(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def plain_zip(package: Path, target: Path) -> PackageMetadata:
    metadata = read_metadata(package)
    with open_blob(package) as blob:
        decrypt_blob(blob.stream, target, encryption=metadata.encryption, plain_size=metadata.unencrypted_content_size)
    return metadata


@pytest.mark.parametrize("fast", [False, True])
def test_a_built_package_unpacks_to_its_source(
    build: Callable[..., BuildResult], source: Path, tmp_path: Path, fast: bool
) -> None:
    result = build(fast=fast)
    plain = tmp_path / "plain.zip"
    metadata = plain_zip(result.path, plain)
    summary = unzip(plain, tmp_path / "content")
    assert metadata == result.metadata
    assert paths_and_bytes(tmp_path / "content") == paths_and_bytes(source)
    assert (summary.files, summary.bytes) == (result.files, result.source_bytes) == (5, 3_220_020)


PARTS = st.text(st.sampled_from("abAB. -_é日😀1"), min_size=1, max_size=6).filter(
    lambda part: not component_problem(part)
)
TREES = st.dictionaries(
    st.lists(PARTS, min_size=1, max_size=3).map(tuple), st.none() | st.binary(max_size=300), max_size=8
)


@settings(deadline=None, max_examples=50)
@given(tree=TREES, fast=st.booleans())
def test_whatever_a_folder_holds_comes_back(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[tuple[str, ...], bytes | None], fast: bool
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    source = folder / "source"
    source.mkdir()
    (source / "setup").write_text("setup")
    table = NameTable()
    table.add(("setup",), Kind.FILE)
    for parts, content in tree.items():
        with contextlib.suppress(PackageError):
            table.add(parts, Kind.FOLDER if content is None else Kind.FILE)
            path = source.joinpath(*parts)
            (path if content is None else path.parent).mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_bytes(content)
    result = build_package(source, "setup", folder / "out", options=BuildOptions(fast=fast, default_ignores=False))
    extract_package(result.path, folder / "content")
    assert paths_and_bytes(folder / "content") == paths_and_bytes(source)


def test_a_build_leaves_only_the_package(build: Callable[..., BuildResult], tmp_path: Path) -> None:
    build()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["install.intunewin"]


def rebuild(package: Path, folder: Path) -> Path:
    """Unpack a real package and build it again from its parts, keys and times."""
    plain = folder / "plain.zip"
    metadata = plain_zip(package, plain)
    unzip(plain, folder / "source")
    with zipfile.ZipFile(plain) as inner:
        for info in inner.infolist():
            file = folder / "source" / info.filename.replace("\\", "/")
            stamp = datetime(*info.date_time).timestamp()  # noqa: DTZ001 - zip times carry no zone
            os.utime(file, (stamp, stamp))
        is_old = inner.infolist()[0].flag_bits == 0x0002
    with zipfile.ZipFile(package) as outer:
        packed_at = datetime(*outer.infolist()[0].date_time)  # noqa: DTZ001
    options = BuildOptions(
        keys=ContentKeys(
            encryption_key=metadata.encryption.encryption_key,
            mac_key=metadata.encryption.mac_key,
            initialization_vector=metadata.encryption.initialization_vector,
        ),
        packing_time=packed_at,
        tool_version=metadata.tool_version,
        file_name=metadata.file_name,
        title=metadata.name if is_old else None,
        default_ignores=False,
        layout=Layout.OLD if is_old else Layout.CURRENT,
    )
    return build_package(folder / "source", metadata.setup_file, folder / "out", options=options).path


def test_every_real_package_rebuilds_byte_for_byte(real_packages: list[Path], tmp_path: Path) -> None:
    assert real_packages
    for package in real_packages:
        folder = tmp_path / package.stem
        folder.mkdir()
        assert rebuild(package, folder).read_bytes() == package.read_bytes(), package.name


def test_a_detached_blob_unpacks(detached: tuple[Path, Path], tmp_path: Path) -> None:
    blob, xml = detached
    metadata = read_metadata(xml)
    decrypt_blob(
        blob, tmp_path / "plain.zip", encryption=metadata.encryption, plain_size=metadata.unencrypted_content_size
    )
    unzip(tmp_path / "plain.zip", tmp_path / "content")
    assert (tmp_path / "content" / metadata.setup_file).is_file()
