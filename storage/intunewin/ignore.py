"""What stays out of a package: gitignore patterns from a file, and litter that no device needs (package 2 row 8)."""

from pathlib import Path

from pathspec import GitIgnoreSpec

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.failures import reason
from storage.intunewin.tree import Ignored

#: The ignore file that is looked for in the source folder; it is never packed itself.
IGNORE_FILE = ".outriderignore"

#: Left out by default: version control and what desktops leave behind. A pattern with `!` takes one back.
DEFAULT_PATTERNS = (
    ".git/",
    ".svn/",
    ".hg/",
    ".DS_Store",
    "._*",
    "__MACOSX/",
    "Thumbs.db",
    "$RECYCLE.BIN/",
    "System Volume Information/",
    "~$*",
)


def read_ignores(source: Path, *, given: Path | None, defaults: bool) -> Ignored:
    """What the patterns of the given file, or of `.outriderignore` in the source, leave out; later patterns win.

    Raises:
        PackageError: PACKAGE_SOURCE_MISSING where the given file cannot be read; PACKAGE_SOURCE_UNUSABLE for a
            pattern that is none.
    """
    patterns = [*(DEFAULT_PATTERNS if defaults else ()), *_patterns(source, given), f"/{IGNORE_FILE}"]
    try:
        spec = GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        place = str(given or source / IGNORE_FILE)
        raise PackageError(ErrorCode.PACKAGE_SOURCE_UNUSABLE, detail=str(error), place=place) from error
    return spec.match_file


def _patterns(source: Path, given: Path | None) -> list[str]:
    file = given or source / IGNORE_FILE
    if given is None and not file.exists():
        return []
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        detail = reason(error) if isinstance(error, OSError) else "the ignore file is not UTF-8"
        raise PackageError(ErrorCode.PACKAGE_SOURCE_MISSING, detail=detail, place=str(file)) from error
