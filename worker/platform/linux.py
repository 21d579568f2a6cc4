"""Linux."""

import os
import platform
from datetime import datetime
from pathlib import Path

from typing_extensions import override

from contract.rules import PackageManager
from worker.platform.generic import GenericPlatform
from worker.platform.linux_birth_time import birth_time
from worker.platform.linux_packages import available_managers, installed_packages
from worker.platform.port import PackageFacts

_LOCAL_TIME = Path("/etc/localtime")
_ZONES = "zoneinfo/"

#: What the firmware says of the machine.
_DMI = Path("/sys/class/dmi/id")
_MAX_DMI_CHARACTERS = 200


class LinuxPlatform(GenericPlatform):
    """What `/etc`, `statx` and the package managers know beside what plain Python answers."""

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

    @override
    def manufacturer(self) -> str:
        return dmi_text("sys_vendor")

    @override
    def model(self) -> str:
        return dmi_text("product_name")

    @override
    def created_at(self, path: Path, stat: os.stat_result) -> datetime | None:
        return birth_time(path)

    @override
    def packages(self, name: str, manager: PackageManager) -> tuple[PackageFacts, ...]:
        return installed_packages(name, available_managers(manager))

    @override
    def why_no_packages(self, manager: PackageManager) -> str:
        if available_managers(manager):
            return ""
        return "there is neither dpkg nor rpm" if manager is PackageManager.ANY else f"there is no {manager}"


def dmi_text(name: str, folder: Path = _DMI) -> str:
    """What the firmware says under this name; empty where it says nothing or may not be asked."""
    try:
        return (folder / name).read_text(encoding="utf-8", errors="replace").strip()[:_MAX_DMI_CHARACTERS]
    except OSError:
        return ""
