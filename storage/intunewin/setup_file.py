"""The setup file of a source folder, however the user points at it (package 1.3, 2 row 11)."""

import os
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from contract.error_codes import ErrorCode
from contract.errors import PackageError


@dataclass(frozen=True)
class SetupFile:
    """The setup file.

    Attributes:
        path: Where it lies.
        relative: Its path inside the package, with backslashes.
    """

    path: Path
    relative: str

    @property
    def name(self) -> str:
        """Its file name."""
        return self.path.name

    @property
    def is_msi(self) -> bool:
        """Whether it is an MSI, by its suffix."""
        return self.path.suffix.lower() == ".msi"


def find_setup_file(source: Path, given: Path | str) -> SetupFile:
    r"""Find the setup file: a path inside the source folder, with `/` or `\`, or an absolute one that leads there.

    Raises:
        PackageError: PACKAGE_SOURCE_MISSING where the folder or the file is not there or the file lies outside.
    """
    if not source.is_dir():
        raise _missing("there is no such folder", str(source))
    root = Path(os.path.abspath(source))  # noqa: PTH100 - resolve() would follow links
    for candidate in _candidates(root, str(given)):
        path = Path(os.path.abspath(candidate))  # noqa: PTH100
        if path.is_file() and path.is_relative_to(root):
            return SetupFile(path, "\\".join(path.relative_to(root).parts))
    raise _missing(f"there is no such file inside {source}", str(given))


def _candidates(root: Path, given: str) -> tuple[Path, ...]:
    # The path as it is comes first: inside the source, then from where the user stands; then with Windows' slashes.
    windows = PureWindowsPath(given)
    return (root / given, Path(given), root.joinpath(*windows.parts) if not windows.anchor else root / given)


def _missing(detail: str, place: str) -> PackageError:
    return PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail, place=place)
