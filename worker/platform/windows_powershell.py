"""Finding a PowerShell that is one."""

import os
import shutil
from pathlib import Path

from worker.platform.port import View

#: As the original starts it (behaviour 2.13), and without questions that nobody would answer.
_ARGUMENTS = ("-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File")
_SYSTEM_FOLDERS = {View.NATIVE: "System32", View.BITS_32: "SysWOW64"}
#: Wine's programs say of themselves, behind the DOS header, what they are.
_WINE_MARKS = (b"Wine builtin DLL", b"Wine placeholder DLL")
_MARK_AT = 0x40


def powershell(view: View) -> tuple[str, ...] | None:
    """The command that runs a script file with the PowerShell of Windows, PowerShell 7 otherwise; None without any.

    Wine's `powershell.exe` ends with 0 and does nothing: a rule's script would seem to have run. It is not taken.
    """
    programs = [_of_windows(view), *(_on_path() if view is View.NATIVE else ())]
    found = next((program for program in programs if program.is_file() and not is_of_wine(program)), None)
    return None if found is None else (str(found), *_ARGUMENTS)


def is_of_wine(program: Path) -> bool:
    """Whether a program is Wine's own, in the place of one of Windows."""
    with program.open("rb") as file:
        file.seek(_MARK_AT)
        return file.read(max(map(len, _WINE_MARKS))).startswith(_WINE_MARKS)


def _of_windows(view: View) -> Path:
    root = Path(os.environ.get("SYSTEMROOT", "C:\\Windows"))
    return root / _SYSTEM_FOLDERS[view] / "WindowsPowerShell" / "v1.0" / "powershell.exe"


def _on_path() -> tuple[Path, ...]:
    found = shutil.which("pwsh")
    return () if found is None else (Path(found),)
