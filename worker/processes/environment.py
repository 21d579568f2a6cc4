"""The environment of installers and scripts: clean, whatever the agent was started with."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

_POSIX_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POSIX_DEFAULTS = {"PATH": _POSIX_PATH, "LANG": "C.UTF-8"}
_POSIX_KEPT = ("HOME", "USER", "LOGNAME", "TMPDIR", "TZ")
#: Windows programs do not start without some of these; the machine sets them all.
_WINDOWS_KEPT = (
    "ALLUSERSPROFILE", "APPDATA", "COMPUTERNAME", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS", "OS", "PATH", "PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMDATA", "PROGRAMFILES",
    "PROGRAMFILES(X86)", "PROGRAMW6432", "PUBLIC", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERDOMAIN",
    "USERNAME", "USERPROFILE", "WINDIR",
)  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """Which of the agent's own variables others may see.

    Attributes:
        passed: Names beyond the usual ones, allowed by the agent's settings.
        source: The agent's own environment.
    """

    passed: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    def variables(self, **more: str) -> dict[str, str]:
        """The variables a started program sees, with `more` of the agent's own making."""
        windows = sys.platform == "win32"
        kept = (*(_WINDOWS_KEPT if windows else _POSIX_KEPT), *self.passed)
        variables = {} if windows else dict(_POSIX_DEFAULTS)
        variables |= {name: self.source[name] for name in kept if name in self.source}
        return variables | more
