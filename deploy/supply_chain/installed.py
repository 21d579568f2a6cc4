"""Whether what is installed is what was locked."""

from collections.abc import Iterable, Iterator
from importlib.metadata import distributions
from typing import Final

from packaging.utils import canonicalize_name

from deploy.supply_chain.lock_file import Finding, Locked

#: This project itself.
_OWN: Final = "outrider"


def installed() -> list[Locked]:
    """Every distribution of this environment."""
    found = {canonicalize_name(each.metadata["Name"]): each.version for each in distributions()}
    return [Locked(name, version) for name, version in sorted(found.items())]


def strangers(present: Iterable[Locked], locked: Iterable[Locked]) -> Iterator[Finding]:
    """What is installed and not locked, or in another version."""
    versions: dict[str, set[str]] = {}
    for each in locked:
        versions.setdefault(each.name, set()).add(each.version)
    for each in present:
        if each.name == _OWN or each.version in versions.get(each.name, ()):
            continue
        expected = " or ".join(sorted(versions.get(each.name, ()))) or "nothing"
        yield Finding(each.name, f"{each.version} is installed, {expected} is locked")
