"""Linux."""

import platform
from pathlib import Path

from typing_extensions import override

from worker.platform.generic import GenericPlatform

_LOCAL_TIME = Path("/etc/localtime")
_ZONES = "zoneinfo/"


class LinuxPlatform(GenericPlatform):
    """What `/etc` knows beside what plain Python answers."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__("linux", state_dir)

    @override
    def os_version(self) -> str:
        """The distribution's release, such as `12` or `24.04`: what packagers mean, unlike the kernel's."""
        try:
            release = platform.freedesktop_os_release()
        except OSError:
            return platform.release()
        return release.get("VERSION_ID", platform.release())

    @override
    def time_zone(self) -> str:
        if _LOCAL_TIME.is_symlink():
            _, found, name = str(_LOCAL_TIME.readlink()).partition(_ZONES)
            if found:
                return name
        return super().time_zone()
