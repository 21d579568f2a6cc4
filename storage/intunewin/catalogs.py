r"""Catalogue files for Windows 10 S mode: packed first, in a folder of their own (package 1.5).

No package with catalogues is public; the layout follows a log of the original tool: `Cat_<GUID>\` before everything
else, the rest unchanged.
"""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.tree import SourceEntry, walk

_SUFFIX = ".cat"


def catalog_entries(folder: Path, *, guid: uuid.UUID) -> Iterator[SourceEntry]:
    r"""The catalogue files of the folder under `Cat_<GUID>\`.

    Raises:
        PackageError: PACKAGE_SOURCE_MISSING where the folder is not there or holds no catalogue.
    """
    found = [entry for entry in walk(folder) if entry.name.lower().endswith(_SUFFIX)] if folder.is_dir() else []
    if not found:
        detail = f"there is no folder with {_SUFFIX} files"
        raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail, place=str(folder))
    prefix = f"Cat_{str(guid).upper()}\\"
    return (replace(entry, name=prefix + entry.name) for entry in found)
