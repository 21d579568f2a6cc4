"""Which names of zip entries may be written, and where (package 1.8): pure rules, the same on every system."""

import re
import stat
import zipfile
from enum import Enum

from storage.intunewin.failures import unsafe

#: Longest name of one file or folder, in UTF-16 code units, on NTFS; in bytes on most other file systems.
MAX_COMPONENT = 255

#: Longest whole relative path that is unpacked, in characters.
MAX_PATH = 4096

_SEPARATORS = re.compile(r"[/\\]")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])")
_HOST_UNIX = 3


class Kind(Enum):
    """What stands under a name."""

    FILE = "file"
    FOLDER = "folder"


def kind_of(info: zipfile.ZipInfo) -> Kind:
    """Whether the entry is a file or a folder.

    Raises:
        PackageError: PACKAGE_UNSAFE for symbolic links, devices and other special files.
    """
    is_folder = info.orig_filename.endswith(("/", "\\"))
    mode = info.external_attr >> 16
    if info.create_system == _HOST_UNIX and stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise unsafe("it is a symbolic link or a special file", info.orig_filename)
    if is_folder and info.file_size:
        raise unsafe("a folder that carries data", info.orig_filename)
    return Kind.FOLDER if is_folder else Kind.FILE


def safe_parts(name: str) -> tuple[str, ...]:
    r"""The components of an entry's name, split at `/` and `\`.

    Raises:
        PackageError: PACKAGE_UNSAFE for a name that is absolute, leaves the folder, or means something else to some
            system: drive letters, UNC, alternate streams, reserved device names, trailing dots or spaces.
    """
    if len(name) > MAX_PATH:
        raise unsafe(f"a path of {len(name)} characters, at most {MAX_PATH} are unpacked", name[:MAX_COMPONENT])
    parts = split_name(name)
    for part in parts:
        problem = component_problem(part)
        if problem:
            raise unsafe(problem, name)
    return parts


def split_name(name: str) -> tuple[str, ...]:
    r"""The components of a name, split at `/` and `\`; a folder's last separator is dropped."""
    return tuple(_SEPARATORS.split(name[:-1] if name.endswith(("/", "\\")) else name))


def component_problem(part: str) -> str:
    """Why a file or folder may not have this name; empty where it may."""
    if not part:
        return "the name is absolute or has an empty component"
    if part in {".", ".."}:
        return "the name leaves its folder"
    if found := _FORBIDDEN.search(part):
        return f"the name holds {found.group()!r}: a drive, a stream, a wildcard or a control character"
    if part[-1] in ". ":
        return "the name ends with a dot or a space, which Windows drops"
    if _RESERVED.fullmatch(part.partition(".")[0].rstrip(" ")):
        return "the name is a reserved device name of Windows"
    return _encoding_problem(part)


def _encoding_problem(part: str) -> str:
    try:
        too_long = len(part.encode("utf-16-le")) // 2 > MAX_COMPONENT
    except UnicodeEncodeError:
        return "the name holds half a character"
    return f"the name is longer than {MAX_COMPONENT} characters" if too_long else ""


def fold(name: str) -> str:
    """What Windows takes for the same name: each character's own upper case, no expansions."""
    if name.isascii():
        return name.upper()
    return "".join(upper if len(upper := character.upper()) == 1 else character for character in name)


class NameTable:
    """The names of one archive, so that no two of them meet on any system; archives of 100,000 files fit in memory."""

    def __init__(self) -> None:
        # Folders end with a backslash, here and only here.
        self._taken: dict[str, str] = {}
        self._stated_folders: set[str] = set()

    def add(self, parts: tuple[str, ...], kind: Kind) -> None:
        """Take the name and its folders.

        Raises:
            PackageError: PACKAGE_UNSAFE where the name is taken, differs from another by case alone, or is a file
                and a folder at once.
        """
        for depth in range(1, len(parts)):
            self._take("\\".join(parts[:depth]), "\\")
        path = "\\".join(parts)
        is_new = self._take(path, "\\" if kind is Kind.FOLDER else "")
        if (kind is Kind.FILE and not is_new) or path in self._stated_folders:
            raise unsafe("the name stands there twice", path)
        if kind is Kind.FOLDER:
            self._stated_folders.add(path)

    def _take(self, path: str, mark: str) -> bool:
        taken = self._taken.get(folded := fold(path))
        if taken is None:
            self._taken[folded] = path + mark
            return True
        if taken.rstrip("\\") != path:
            raise unsafe(f"it differs from {taken!r} by case alone", path)
        if taken != path + mark:
            raise unsafe("it is a file and a folder at once", path)
        return False
