"""Lock files: one version of each requirement, named by the hashes of its files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

PROJECT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = PROJECT / "requirements.lock"
#: Beside the first one, for tests that want half a gigabyte more.
GRAPH_LOCK: Final = PROJECT / "requirements-graph.lock"
#: What the benchmark compares with; never in the environment of the others.
BENCH_LOCK: Final = PROJECT / "requirements-bench.lock"

_HASH: Final = re.compile(r"\s--hash=(\S+)")
_GOOD_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Locked:
    """One requirement of a lock file.

    Attributes:
        name: Normalised.
    """

    name: str
    version: str


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be.

    Attributes:
        place: A file with its line, or a distribution.
    """

    place: str
    words: str


def read_lock(path: Path) -> tuple[list[Locked], list[Finding]]:
    """The requirements of a lock file, and the lines of it that lock nothing."""
    locked, findings = [], []
    for number, text in _entries(path):
        place = f"{path.name}:{number}"
        found = _read(text)
        if isinstance(found, Locked):
            locked.append(found)
        else:
            findings.append(Finding(place, found))
    return locked, findings


def _read(text: str) -> Locked | str:
    """The requirement, or in words why it is none."""
    if _ADDRESS.search(text):
        return "names an address: files come from the index, and are known by their hashes"
    if text.startswith("-"):
        return f"is an option, expected requirements only: {text}"
    try:
        requirement = Requirement(_HASH.sub("", text))
    except InvalidRequirement as error:
        return f"is no requirement: {error}"
    pins = list(requirement.specifier)
    if len(pins) != 1 or pins[0].operator != "==" or pins[0].version.endswith("*"):
        return f"is not pinned to one version: {requirement}"
    hashes = _HASH.findall(text)
    if not hashes or not all(map(_GOOD_HASH.fullmatch, hashes)):
        return f"has no SHA-256 hash, or another one: {requirement}"
    return Locked(canonicalize_name(requirement.name), pins[0].version)


def _entries(path: Path) -> Iterator[tuple[int, str]]:
    """Each entry on one line, with the number of the line it begins in."""
    begin, parts = 0, list[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not parts and (not text or text.startswith("#")):
            continue
        begin = begin if parts else number
        parts.append(text.removesuffix("\\").strip())
        if not text.endswith("\\"):
            yield begin, " ".join(parts)
            parts = []
    if parts:
        yield begin, " ".join(parts)
