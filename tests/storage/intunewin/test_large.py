"""Beyond 4 GiB: zip64 in both zips, and memory that does not grow with the package."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from storage.intunewin.package_file import open_package

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"),
]

GIB = 1 << 30
SOURCE_BYTES = 5 * GIB
MAX_MEMORY_MIB = 100
BLOCK = 64 << 20

#: Runs one step in a process of its own and prints its peak memory in MiB.
STEP = """
import sys
from pathlib import Path
from storage.intunewin.builder import build_package
from storage.intunewin.extract import extract_package
from storage.intunewin.options import BuildOptions
from storage.intunewin.verify import verify_package
step, folder = sys.argv[1], Path(sys.argv[2])
package = folder / "out" / "setup.intunewin"
match step:
    case "build":
        build_package(folder / "source", "setup.cmd", folder / "out")
    case "fast":
        build_package(folder / "source", "setup.cmd", folder / "out", options=BuildOptions(fast=True))
    case "verify":
        assert verify_package(package).oddities == ()
    case "extract":
        extract_package(package, folder / "content")
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def run(step: str, folder: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", STEP, step, str(folder)], check=True, capture_output=True, text=True, cwd=Path.cwd()
    )
    # ru_maxrss would count the process this one was forked from.
    peak = int(done.stdout) >> 10
    print(f"{step}: peak memory {peak} MiB")  # noqa: T201 - the figure is asked for
    return peak


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.disk_usage(tmp_path).free < 5 * SOURCE_BYTES:
        pytest.skip(f"needs {5 * SOURCE_BYTES >> 30} GiB of disk")
    source = tmp_path / "source"
    source.mkdir()
    (source / "setup.cmd").write_text("rem\n")
    # Longer than deflate's window: nothing of it compresses.
    block = os.urandom(BLOCK)
    with (source / "big.bin").open("wb") as file:
        for _ in range(SOURCE_BYTES // BLOCK):
            file.write(block)
    return tmp_path


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("build", ["build", "fast"])
def test_five_gibibytes_pack_verify_and_extract_in_little_memory(folder: Path, build: str) -> None:
    peaks = {step: run(step, folder) for step in (build, "verify", "extract")}
    assert max(peaks.values()) < MAX_MEMORY_MIB, peaks
    with zipfile.ZipFile(folder / "out" / "setup.intunewin") as outer:
        assert outer.infolist()[0].file_size > SOURCE_BYTES
    assert sizes(folder / "content") == sizes(folder / "source")
    shutil.rmtree(folder / "content")
    shutil.rmtree(folder / "source")
    shutil.rmtree(folder / "out")


@pytest.mark.timeout(600)
def test_a_sparse_source_of_five_gibibytes_survives(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "setup.cmd").write_text("rem\n")
    with (source / "zeros.bin").open("wb") as file:
        file.truncate(SOURCE_BYTES)
    for build in ("build", "fast"):
        assert max(run(build, tmp_path), run("verify", tmp_path)) < MAX_MEMORY_MIB
    with open_package(tmp_path / "out" / "setup.intunewin") as package, package.plain() as plain:
        entry = zipfile.ZipFile(plain.stream).infolist()[1]
        assert (entry.file_size, entry.flag_bits, entry.extract_version) == (SOURCE_BYTES, 0x0808, 45)


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}
