"""Under which licences the installed distributions are, by what they say themselves."""

from collections.abc import Iterable
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from typing import Final

from deploy.supply_chain.lock_file import Locked

#: Longer ones are a licence's text, not its name.
_LONGEST_NAME: Final = 100
_CLASSIFIER: Final = "License :: "
_UNSTATED: Final = "not stated"
_ELSEWHERE: Final = "not installed on this system"


def licence_of(name: str) -> str:
    """The licence that an installed distribution names."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return _ELSEWHERE
    return _expression(said) or _classifiers(said) or _UNSTATED


def licence_list(locked: Iterable[Locked]) -> str:
    """A line for each requirement: name, version, licence, with tabs between them."""
    lines = {f"{each.name}\t{each.version}\t{licence_of(each.name)}\n" for each in locked}
    return "".join(sorted(lines))


def _expression(said: PackageMetadata) -> str:
    for field in ("License-Expression", "License"):
        text = said[field].strip() if field in said else ""
        if text and "\n" not in text and len(text) <= _LONGEST_NAME:
            return text
    return ""


def _classifiers(said: PackageMetadata) -> str:
    found = [text.rpartition(" :: ")[2] for text in said.get_all("Classifier") or () if text.startswith(_CLASSIFIER)]
    return ", ".join(found)
