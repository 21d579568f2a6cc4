"""Source folders, packages built from them, and the real packages beside the project."""

import os
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from storage.intunewin.builder import BuildResult, build_package
from storage.intunewin.options import BuildOptions

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures" / "packages"
PACKED_AT = datetime(2024, 5, 6, 7, 8, 10)  # noqa: DTZ001 - zip times carry no zone


@pytest.fixture
def real_packages() -> list[Path]:
    if not FIXTURES.is_dir():
        pytest.skip(f"the real packages are not at {FIXTURES}")
    return sorted(FIXTURES.glob("*.intunewin"))


@pytest.fixture
def real_packages_or_none() -> list[Path]:
    """The real packages where they are there; for tests that also make their own."""
    return sorted(FIXTURES.glob("*.intunewin"))


@pytest.fixture
def detached() -> tuple[Path, Path]:
    blob = FIXTURES / "detached" / "huntress.blob"
    if not blob.is_file():
        pytest.skip(f"the detached blob is not at {blob}")
    return blob, blob.with_name("huntress.Detection.xml")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with what a package can hold: nested, empty, incompressible, larger than one chunk."""
    root = tmp_path / "source"
    (root / "Files" / "deep").mkdir(parents=True)
    (root / "Logs").mkdir()
    (root / "install.sh").write_text("echo installed\n")
    (root / "empty.txt").touch()
    (root / "Files" / "Data.bin").write_bytes(os.urandom(70_000))
    (root / "Files" / "big.txt").write_bytes(b"all work and no play\n" * 150_000)
    (root / "Files" / "deep" / "ünïcödé.txt").write_text("names")
    return root


Build = Callable[..., BuildResult]


@pytest.fixture
def build(source: Path, tmp_path: Path) -> Build:
    """Build a package from the source folder."""

    def run(**options: object) -> BuildResult:
        chosen = BuildOptions(packing_time=PACKED_AT).model_copy(update=options)
        return build_package(source, "install.sh", tmp_path / "out", options=chosen)

    return run


@pytest.fixture
def package(build: Build) -> Path:
    return build().path


@pytest.fixture
def real_xml(real_packages: list[Path]) -> dict[str, bytes]:
    """Every real Detection.xml by the package it comes from."""
    found = {}
    for path in real_packages:
        with zipfile.ZipFile(path) as outer:
            found[path.name] = outer.read("IntuneWinPackage/Metadata/Detection.xml")
    return found
