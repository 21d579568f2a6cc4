"""Windows' CPython with the agent's packages, made once and kept beside the environment that the tests run in."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from tests.windows.requirements import PROJECT, windows_requirements

_PYTHON = Path(__file__).with_name("python.txt")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-compile")
_TARGET = (
    "--platform", "win_amd64", "--implementation", "cp", "--python-version", "3.11", "--only-binary", ":all:",
)  # fmt: skip
#: Rust's standard library takes its random numbers from a library that Wine has from version 9 on. The function it
#: wants is one that Windows has always had, under its new name.
_RANDOM_DLL = "bcryptprimitives.dll"
_RANDOM_EXPORTS = f"LIBRARY {_RANDOM_DLL}\nEXPORTS\n ProcessPrng = advapi32.SystemFunction036\n"
_LINKER = "x86_64-w64-mingw32-ld"
_ASSEMBLER = "x86_64-w64-mingw32-as"


def windows_python() -> Path:
    """The folder of `python.exe`; made where this machine has none for these requirements yet."""
    requirements = windows_requirements()
    version = hashlib.sha256(requirements.encode() + _PYTHON.read_bytes() + Path(__file__).read_bytes()).hexdigest()
    home = Path(sys.prefix) / "windows"
    home.mkdir(exist_ok=True)
    folder = home / f"python-{version[:16]}"
    with FileLock(home / "lock"):
        if not folder.exists():
            _make(folder, requirements)
    return folder


def install_agent(folder: Path) -> Path:
    """Build the project's wheel as it is now and unpack it into a folder below this one, for PYTHONPATH."""
    wheels, target = folder / "wheels", folder / "agent"
    build = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "wheel", "--no-deps")
    subprocess.run([*build, "--no-build-isolation", "--wheel-dir", str(wheels), str(PROJECT)], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([*_PIP, "--no-deps", "--no-index", "--target", str(target), str(wheel)], check=True)
    return target


def _make(folder: Path, requirements: str) -> None:
    for old in folder.parent.glob("python-*"):
        shutil.rmtree(old)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        python = Path(name) / "python"
        hashed = (*_PIP, "--no-deps", "--require-hashes")
        subprocess.run([*hashed, "--target", str(python), "--no-binary", ":all:", "-r", str(_PYTHON)], check=True)
        # Without it the embeddable is a Python as any other: it reads PYTHONPATH and Lib\site-packages.
        (python / "python311._pth").unlink()
        packages = python / "Lib" / "site-packages"
        listed = Path(name) / "requirements.txt"
        listed.write_text(requirements, encoding="utf-8")
        subprocess.run([*hashed, *_TARGET, "--target", str(packages), "-r", str(listed)], check=True)
        _link_random_library(python)
        python.rename(folder)


def _link_random_library(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        empty, exports = Path(name) / "empty.o", Path(name) / "exports.def"
        exports.write_text(_RANDOM_EXPORTS, encoding="ascii")
        subprocess.run([_ASSEMBLER, "-o", str(empty), os.devnull], check=True)
        target = str(folder / _RANDOM_DLL)
        subprocess.run([_LINKER, "-shared", "--entry", "0", "-o", target, str(empty), str(exports)], check=True)
