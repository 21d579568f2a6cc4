"""What plain Python answers the same on every platform."""

import os
import platform
import re
import shutil
import socket
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from contract.rules import FileOperation, FileRule, ProductCodeRule, RegistryRule, Rule, RunAsAccount, ScriptRule
from contract.uplink import DeviceFacts
from worker.platform.port import FileFacts

_MIB = 1024 * 1024
_VARIABLE = re.compile(r"%([^%/\\]+)%")

_ARCHITECTURES = {
    "x86_64": "x64",
    "amd64": "x64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "x86",
    "i686": "x86",
    "x86": "x86",
    "armv6l": "arm",
    "armv7l": "arm",
}


class GenericPlatform:
    """A platform without anything of its own.

    Attributes:
        os_name: `linux`, `windows` or `macos`.
        state_dir: The folder whose disk counts as the device's.
    """

    def __init__(self, os_name: str, state_dir: Path) -> None:
        self.os_name = os_name
        self.state_dir = state_dir

    def facts(self) -> DeviceFacts:
        """What the device says of itself."""
        machine = platform.machine().lower()
        return DeviceFacts(
            hostname=socket.gethostname(),
            os_name=self.os_name,
            os_version=self.os_version(),
            architecture=_ARCHITECTURES.get(machine, machine),
            agent_version=version("outrider"),
            processors=psutil.cpu_count(logical=True) or 1,
            memory_in_mb=psutil.virtual_memory().total // _MIB,
            free_disk_space_in_mb=shutil.disk_usage(self.state_dir).free // _MIB,
            time_zone=self.time_zone(),
        )

    def os_version(self) -> str:
        """The release, as numbers joined by dots where the platform has such."""
        return platform.release()

    def time_zone(self) -> str:
        """The IANA name of the device's zone."""
        return os.environ.get("TZ", "").lstrip(":") or "UTC"

    def cpu_speed_in_mhz(self) -> int | None:
        """See `Platform.cpu_speed_in_mhz`."""
        speed = psutil.cpu_freq()
        # Virtual machines often know the current speed only.
        return None if speed is None else int(speed.max or speed.current) or None

    def expand(self, path: str) -> str:
        """See `Platform.expand`."""
        return _VARIABLE.sub(lambda match: os.environ[match.group(1)], path)

    def file_facts(self, path: Path) -> FileFacts | None:
        """See `Platform.file_facts`."""
        try:
            stat = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileFacts(
            size=None if path.is_dir() else stat.st_size,
            modified_at=datetime.fromtimestamp(stat.st_mtime, UTC),
            created_at=self.created_at(stat),
        )

    def created_at(self, stat: os.stat_result) -> datetime | None:
        """When a file was created; None where the platform's `stat` does not say."""
        seconds: float | None = getattr(stat, "st_birthtime", None)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def script_interpreter(self) -> tuple[str, ...]:
        """See `Platform.script_interpreter`."""
        return ("/bin/sh",)

    def why_unanswerable(self, rule: Rule) -> str:
        """See `Platform.why_unanswerable`."""
        match rule:
            case RegistryRule():
                return f"{self.os_name} has no registry"
            case ProductCodeRule():
                return f"{self.os_name} has no MSI products"
            case FileRule(operation_type=FileOperation.VERSION):
                return f"files have no version on {self.os_name}"
            case FileRule(operation_type=FileOperation.CREATED_DATE) if self._keeps_no_creation_date():
                return f"this agent cannot read creation dates on {self.os_name}"
            case ScriptRule():
                return self._why_script_unanswerable(rule)
            case _:
                return ""

    def _why_script_unanswerable(self, rule: ScriptRule) -> str:
        if rule.enforce_signature_check:
            return f"scripts have no signature on {self.os_name}"
        if rule.run_as_account is RunAsAccount.USER:
            return "this agent runs scripts in its own name only"
        program = (rule.interpreter or self.script_interpreter())[0]
        return "" if shutil.which(program) else f"there is no {program}"

    def _keeps_no_creation_date(self) -> bool:
        return self.created_at(self.state_dir.stat()) is None
