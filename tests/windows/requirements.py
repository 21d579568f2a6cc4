"""What the agent needs on Windows, out of the lock file: the markers are judged for Windows, not for this machine."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

PROJECT = Path(__file__).resolve().parents[2]
#: The embeddable CPython that `python.txt` names, as markers see it.
WINDOWS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.9",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_release": "10",
    "platform_system": "Windows",
    "platform_version": "10.0.19045",
    "python_full_version": "3.11.9",
    "python_version": "3.11",
    "sys_platform": "win32",
}
#: What runs the agent's own tests there.
TEST_TOOLS = ("hypothesis", "pytest", "pytest-timeout")
_ENTRY = re.compile(r"^(?P<requirement>[^\s#][^\n\\]*?) \\\n(?P<hashes>(?:    --hash=\S+(?: \\)?\n?)+)", re.MULTILINE)


def windows_requirements() -> str:
    """The lock file's entries that a device on Windows and its tests need, in pip's format, hashes included.

    Raises:
        LookupError: The lock file lacks one of them.
    """
    wanted = _closure([*_agents_own(), *(Requirement(tool) for tool in TEST_TOOLS)])
    entries = _locked()
    missing = sorted(name for name in wanted if name not in entries)
    if missing:
        raise LookupError(f"requirements.lock has nothing for Windows under {', '.join(missing)}")
    return "".join(entries[name] for name in sorted(wanted))


def _agents_own() -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["worker"])]


def _closure(roots: list[Requirement]) -> set[NormalizedName]:
    """All that the roots need, by the metadata of what is installed here; what is for Windows only needs nothing."""
    extras: dict[NormalizedName, set[str]] = {}
    open_ = [root for root in roots if _applies(root, "")]
    while open_:
        requirement = open_.pop()
        name = canonicalize_name(requirement.name)
        known = extras.get(name, set())
        new = ({"", *requirement.extras}) - known
        extras[name] = known | new
        open_ += [needed for needed in _needs(name) if any(_applies(needed, extra) for extra in new)]
    return set(extras)


def _needs(name: NormalizedName) -> list[Requirement]:
    try:
        return [Requirement(text) for text in distribution(name).requires or ()]
    except PackageNotFoundError:
        return []


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**WINDOWS, "extra": extra})


def _locked() -> dict[NormalizedName, str]:
    """The entries that hold for Windows; without their markers, which pip would judge for this machine."""
    entries = {}
    for entry in _ENTRY.finditer((PROJECT / "requirements.lock").read_text(encoding="utf-8")):
        requirement = Requirement(entry["requirement"])
        if _applies(requirement, ""):
            pinned = f"{requirement.name}{requirement.specifier}"
            entries[canonicalize_name(requirement.name)] = f"{pinned} \\\n{entry['hashes'].rstrip()}\n"
    return entries
