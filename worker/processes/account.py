"""The account a program runs under where that is not the agent's own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Where a session keeps its sockets, by the account's number.
_RUNTIME_FOLDERS = Path("/run/user")


@dataclass(frozen=True)
class Account:
    """A person's account on a POSIX system.

    Attributes:
        groups: All groups the account is in.
        home: Its home folder.
    """

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    shell: str

    @property
    def is_own(self) -> bool:
        """Whether the agent runs under this very account."""
        return sys.platform != "win32" and os.geteuid() == self.uid

    def variables(self, display: str = "") -> dict[str, str]:
        """What a program of this account's session expects in its environment.

        Args:
            display: The X display of the session; empty where it has none.
        """
        runtime = _RUNTIME_FOLDERS / str(self.uid)
        found = {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}
        if runtime.is_dir():
            found["XDG_RUNTIME_DIR"] = str(runtime)
        if (runtime / "bus").exists():
            found["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={runtime / 'bus'}"
        if (runtime / "wayland-0").exists():
            found["WAYLAND_DISPLAY"] = "wayland-0"
        return found | ({"DISPLAY": display} if display else {})


def account_of(name: str) -> Account | None:
    """The account of that name; None where the system knows none, or has none of this kind."""
    if sys.platform == "win32":
        return None
    import pwd  # noqa: PLC0415  it is not there on Windows

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir, entry.pw_shell)


def own_account_name() -> str:
    """Under which account the agent itself runs."""
    return psutil.Process().username()
