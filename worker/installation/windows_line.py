"""Command lines of Windows, which programs there split themselves."""

import re
from pathlib import Path

_PROGRAM = re.compile(r'\s*(?:"(?P<quoted>[^"]+)"|(?P<bare>[^\s"]+))')
#: What Windows adds to a program's name that has no ending.
_ENDING = ".exe"


def with_program_from(folder: Path, line: str) -> str:
    """The line as typed, but for a program that lies in the content: that one by its whole path.

    Windows looks for programs beside the one that starts them and in its own folders, not in the working folder.
    """
    found = _PROGRAM.match(line)
    if found is None:
        return line
    name = found["quoted"] or found["bare"]
    for inside in (folder / name, folder / f"{name}{_ENDING}"):
        if inside.is_file() and inside.resolve().is_relative_to(folder.resolve()):
            return f'"{inside}"{line[found.end() :]}'
    return line
