"""Build, verify and extract packages; the baseline is `zip -1`, sha256sum, openssl and unzip on the same files."""

import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from storage.intunewin.builder import build_package
from storage.intunewin.extract import extract_package
from storage.intunewin.options import BuildOptions
from tests.bench.row import Row

AIM_BUILD = 1.1
AIM_FAST = 0.5
AIM_EXTRACT = 0.7

_TOOLS = ("zip", "unzip", "openssl", "sha256sum")
_KEY = "00" * 32
_IV = "00" * 16
_MIB = 1 << 20
_SMALL_FILES = 4_000
_SMALL_BYTES = 30_000


@dataclass(frozen=True)
class Took:
    """The best of several runs.

    Attributes:
        seconds: On the clock.
        cpu: Of all processors together, children included.
    """

    seconds: float
    cpu: float


def rows(quick: bool) -> Iterator[Row]:
    """Build and extract for many small and few large files, compressible and not; best of three runs each."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise RuntimeError(f"the baseline needs {', '.join(missing)}")
    scale = 8 if quick else 1
    with tempfile.TemporaryDirectory(prefix="outrider-bench-", dir=_workplace()) as folder:
        sources = _sources(Path(folder), scale)
        for name, source in sources:
            yield from _measure(name, source, Path(folder) / "work")


def _workplace() -> str | None:
    """Memory where there is enough: a disk's own mood would be measured otherwise."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 4096 * _MIB else None


def _sources(folder: Path, scale: int) -> Iterator[tuple[str, Path]]:
    chance = random.Random(1)
    words = [chance.randbytes(chance.randint(2, 9)).hex().encode() for _ in range(5_000)]
    text = b" ".join(chance.choices(words, k=_MIB))
    many = folder / "many small"
    for index in range(_SMALL_FILES // scale):
        file = many / f"folder {index % 50}" / f"file {index}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        size, start = chance.randint(100, _SMALL_BYTES), chance.randrange(len(text) - _SMALL_BYTES)
        file.write_bytes(text[start : start + size] if index % 4 else chance.randbytes(size))
    yield "many small files", many
    yield "large, compressible", _large(folder / "text", [text * 12 for _ in range(2)], scale)
    yield "large, incompressible", _large(folder / "noise", [chance.randbytes(100 * _MIB) for _ in range(2)], scale)


def _large(folder: Path, contents: list[bytes], scale: int) -> Path:
    folder.mkdir()
    for index, content in enumerate(contents):
        (folder / f"file {index}.bin").write_bytes(content[: len(content) // scale])
    return folder


def _measure(name: str, source: Path, work: Path) -> Iterator[Row]:
    work.mkdir()
    (source / "setup.cmd").write_text("rem\n")
    size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
    plain, sealed, unpacked = work / "plain.zip", work / "sealed", work / "unpacked"
    pack = f"""
        cd '{source}' && zip -1 -q -r '{plain}' . && sha256sum '{plain}' &&
        openssl enc -aes-256-cbc -K {_KEY} -iv {_IV} -in '{plain}' -out '{sealed}' &&
        openssl dgst -sha256 -mac HMAC -macopt hexkey:{_KEY} '{sealed}'"""
    unpack = f"""
        openssl dgst -sha256 -mac HMAC -macopt hexkey:{_KEY} '{sealed}' &&
        openssl enc -d -aes-256-cbc -K {_KEY} -iv {_IV} -in '{sealed}' -out '{plain}.2' &&
        sha256sum '{plain}.2' && unzip -q '{plain}.2' -d '{unpacked}'"""
    zipped = _best(lambda: _shell(pack), lambda: plain.unlink(missing_ok=True))
    unzipped = _best(lambda: _shell(unpack), lambda: shutil.rmtree(unpacked, ignore_errors=True))
    for word, fast, aim in (("build", False, AIM_BUILD), ("build --fast", True, AIM_FAST)):
        options = BuildOptions(name=word, fast=fast)
        ours = _best(partial(build_package, source, "setup.cmd", work, options=options))
        yield _row(f"{word}: {name}", ours, zipped, aim, size)
    target = work / "content"
    ours = _best(
        lambda: extract_package(work / "build.intunewin", target), lambda: shutil.rmtree(target, ignore_errors=True)
    )
    yield _row(f"verify and extract: {name}", ours, unzipped, AIM_EXTRACT, size)
    shutil.rmtree(work)


def _row(name: str, ours: Took, baseline: Took, aim: float, size: int) -> Row:
    gigabytes = size / 1e9
    extra = f"CPU s/GB: {ours.cpu / gigabytes:.1f}, baseline {baseline.cpu / gigabytes:.1f}; {size / 1e6:.0f} MB"
    return Row("packages", name, ours.seconds, baseline.seconds, aim, extra)


def _best(run: Callable[[], object], prepare: Callable[[], object] = lambda: None, times: int = 3) -> Took:
    taken = []
    for _ in range(times):
        prepare()
        cpu, clock = _cpu(), time.perf_counter()
        run()
        taken.append(Took(time.perf_counter() - clock, _cpu() - cpu))
    return min(taken, key=lambda took: took.seconds)


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _shell(script: str) -> None:
    subprocess.run(["/bin/sh", "-c", script], check=True, stdout=subprocess.DEVNULL, env=os.environ | {"LC_ALL": "C"})
