"""The source folder in the order the format has (package 1.4).

Per folder one pass in case-insensitive order gives files and empty folders; then the folders that hold something
follow in the same order, each in the same way.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.failures import reason, unusable
from storage.intunewin.names import MAX_PATH, component_problem, fold
from storage.intunewin.paths import long_path


@dataclass(frozen=True)
class SourceEntry:
    """A file or an empty folder to pack.

    Attributes:
        path: Where it lies.
        name: Its name in the package, with backslashes; an empty folder's ends with one.
        status: The file's status when it was listed; None for an empty folder.
    """

    path: Path
    name: str
    status: os.stat_result | None

    @property
    def size(self) -> int:
        """Bytes of the file when it was listed."""
        return 0 if self.status is None else self.status.st_size


#: Told a path relative to the source with `/` (folders end with it): whether it stays out of the package.
Ignored = Callable[[str], bool]


def walk(source: Path, *, ignored: Ignored = lambda _relative: False) -> Iterator[SourceEntry]:
    """Everything to pack below the folder, in the format's order.

    Raises:
        PackageError: PACKAGE_SOURCE_UNUSABLE for what a package cannot hold (special files, links that lead outside,
            names Windows refuses, folders that cannot be read); PACKAGE_SOURCE_CHANGED for what vanishes meanwhile.
    """
    return _walk(_Walk(source, long_path(source).resolve(), ignored), long_path(source), "")


@dataclass(frozen=True)
class _Walk:
    source: Path
    root: Path
    ignored: Ignored


def _walk(walk: _Walk, folder: Path, prefix: str) -> Iterator[SourceEntry]:
    full: list[tuple[Path, str]] = []
    for child in _children(walk, folder, prefix):
        name = prefix + child.name
        if not _is_folder(child):
            yield SourceEntry(Path(child.path), name, _status(walk, child))
        elif _is_empty(walk, Path(child.path), name + "\\"):
            yield SourceEntry(Path(child.path), name + "\\", None)
        else:
            full.append((Path(child.path), name + "\\"))
    for path, name in full:
        yield from _walk(walk, path, name)


def _is_empty(walk: _Walk, folder: Path, prefix: str) -> bool:
    return not _children(walk, folder, prefix)


def _children(walk: _Walk, folder: Path, prefix: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            kept = [child for child in listing if not walk.ignored(_relative(prefix, child))]
    except FileNotFoundError as error:
        raise PackageError(ErrorCode.PACKAGE_SOURCE_CHANGED, detail=reason(error), place=str(folder)) from error
    except OSError as error:
        raise unusable(reason(error), str(folder)) from error
    for child in kept:
        _check(walk, child, prefix)
    kept.sort(key=lambda child: fold(child.name).encode("utf-16-be"))
    for before, after in pairwise(kept):
        if fold(before.name) == fold(after.name):
            raise unusable(f"its name differs from {before.name!r} by case alone", after.path)
    return kept


def _relative(prefix: str, child: os.DirEntry[str]) -> str:
    return prefix.replace("\\", "/") + child.name + ("/" if _is_folder(child) else "")


def _is_folder(child: os.DirEntry[str]) -> bool:
    try:
        return child.is_dir()
    except OSError:
        # A link that leads to itself.
        return False


def _check(walk: _Walk, child: os.DirEntry[str], prefix: str) -> None:
    problem = "the name holds a backslash" if "\\" in child.name else component_problem(child.name)
    if problem:
        raise unusable(problem, child.path)
    if len(prefix) + len(child.name) >= MAX_PATH:
        raise unusable(f"the path inside the package has more than {MAX_PATH} characters", child.path)
    if child.is_symlink():
        _check_link(walk, child)
    elif not _is_folder(child) and not child.is_file():
        raise unusable("it is neither a file nor a folder", child.path)


def _check_link(walk: _Walk, child: os.DirEntry[str]) -> None:
    if _is_folder(child):
        raise unusable("it is a link to a folder", child.path)
    if not Path(child.path).is_file():
        raise unusable("it is a link that leads to no file", child.path)
    target = Path(child.path).resolve()
    if not target.is_relative_to(walk.root):
        raise unusable(f"it is a link that leads out of the source folder, to {target}", child.path)


def _status(walk: _Walk, child: os.DirEntry[str]) -> os.stat_result:
    try:
        status = Path(child.path).stat()
    except OSError as error:
        raise PackageError(ErrorCode.PACKAGE_SOURCE_CHANGED, detail=reason(error), place=child.path) from error
    if not stat.S_ISREG(status.st_mode):
        raise unusable("it is neither a file nor a folder", str(walk.source / child.name))
    return status
