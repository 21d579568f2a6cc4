"""What plain Python answers the same on every platform."""

import os
import platform
import re
import shutil
import socket
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import psutil

from contract.rules import (
    FileOperation,
    FileRule,
    PackageManager,
    PackageRule,
    ProductCodeRule,
    RegistryRule,
    Rule,
    ScriptRule,
)
from contract.uplink import DeviceFacts
from worker.platform.port import (
    FileFacts,
    PackageFacts,
    RegistryKey,
    RegistryValue,
    UnanswerableError,
    UserSession,
    View,
)

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
            agent_version=_agent_version(),
            processors=psutil.cpu_count(logical=True) or 1,
            memory_in_mb=psutil.virtual_memory().total // _MIB,
            free_disk_space_in_mb=shutil.disk_usage(self.state_dir).free // _MIB,
            time_zone=self.time_zone(),
            manufacturer=self.manufacturer(),
            model=self.model(),
        )

    def os_version(self) -> str:
        """The release, as numbers joined by dots where the platform has such."""
        return platform.release()

    def time_zone(self) -> str:
        """See `Platform.time_zone`."""
        return os.environ.get("TZ", "").lstrip(":") or "UTC"

    def manufacturer(self) -> str:
        """Who made the device; empty where it does not say so."""
        return ""

    def model(self) -> str:
        """The device's model; empty where it does not say so."""
        return ""

    def cpu_speed_in_mhz(self) -> int | None:
        """See `Platform.cpu_speed_in_mhz`."""
        speed = psutil.cpu_freq()
        # Virtual machines often know the current speed only.
        return None if speed is None else int(speed.max or speed.current) or None

    def user_sessions(self) -> tuple[UserSession, ...]:
        """See `Platform.user_sessions`."""
        users = sorted(psutil.users(), key=lambda user: user.started)
        return tuple(UserSession(user.name, user.terminal or "") for user in users)

    def expand(self, path: str, view: View = View.NATIVE) -> str:
        """See `Platform.expand`."""
        return _VARIABLE.sub(lambda match: self.variable(match.group(1), view), path)

    def variable(self, name: str, view: View) -> str:
        """An environment variable as a view has it; there is one view only.

        Raises:
            LookupError: There is no such variable.
        """
        del view
        return os.environ[name]

    def file_facts(self, path: Path) -> FileFacts | None:
        """See `Platform.file_facts`."""
        try:
            stat = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return FileFacts(
            size=None if path.is_dir() else stat.st_size,
            modified_at=datetime.fromtimestamp(stat.st_mtime, UTC),
            created_at=self.created_at(path, stat),
        )

    def created_at(self, path: Path, stat: os.stat_result) -> datetime | None:
        """When a file was created; None where the file system does not keep it."""
        del path
        seconds: float | None = getattr(stat, "st_birthtime", None)
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    def has_registry_key(self, key: RegistryKey) -> bool:
        """See `Platform.has_registry_key`."""
        raise UnanswerableError(self._without("registry", key.path))

    def registry_value(self, key: RegistryKey, name: str) -> RegistryValue | None:
        """See `Platform.registry_value`."""
        raise UnanswerableError(self._without("registry", f"{key.path} {name}"))

    def product_version(self, product_code: str) -> str | None:
        """See `Platform.product_version`."""
        raise UnanswerableError(self._without("MSI products", product_code))

    def packages(self, name: str, manager: PackageManager) -> tuple[PackageFacts, ...]:
        """See `Platform.packages`."""
        raise UnanswerableError(self._without(f"packages of {manager}", name))

    def process_names(self) -> frozenset[str]:
        """See `Platform.process_names`."""
        return frozenset(name for process in psutil.process_iter(["name"]) if (name := process.info["name"]))

    def script_interpreter(self, view: View = View.NATIVE) -> tuple[str, ...]:
        """See `Platform.script_interpreter`; there is one view only."""
        del view
        return ("/bin/sh",)

    def why_untrusted(self, script: Path) -> str:
        """See `Platform.why_untrusted`."""
        raise UnanswerableError(self._without("signatures of scripts", str(script)))

    def why_unanswerable(self, rule: Rule) -> str:
        """See `Platform.why_unanswerable`."""
        match rule:
            case RegistryRule():
                return f"{self.os_name} has no registry"
            case ProductCodeRule():
                return f"{self.os_name} has no MSI products"
            case PackageRule():
                return self.why_no_packages(rule.manager)
            case FileRule():
                return self.why_file_unanswerable(rule)
            case ScriptRule():
                return self.why_script_unanswerable(rule)
            case _:
                return ""

    def why_no_packages(self, manager: PackageManager) -> str:
        """In words why packages of a manager cannot be looked at; empty where they can."""
        return f"this agent knows no packages of {manager} on {self.os_name}"

    def why_file_unanswerable(self, rule: FileRule) -> str:
        """In words why a file has not what the rule looks at; empty where it has."""
        if rule.operation_type is FileOperation.VERSION:
            return f"files have no version on {self.os_name}"
        if rule.operation_type is FileOperation.CREATED_DATE and self._keeps_no_creation_date():
            return f"this agent cannot read creation dates on {self.os_name}"
        return ""

    def why_script_unanswerable(self, rule: ScriptRule) -> str:
        """In words why a script cannot be run; empty where it can."""
        if rule.enforce_signature_check:
            return f"scripts have no signature on {self.os_name}"
        if rule.run_as32_bit:
            return f"there is no 32-bit interpreter of scripts on {self.os_name}"
        return why_no_program((rule.interpreter or self.script_interpreter())[0])

    def _keeps_no_creation_date(self) -> bool:
        return self.created_at(self.state_dir, self.state_dir.stat()) is None

    def _without(self, what: str, asked: str) -> str:
        return f"{self.os_name} has no {what}, asked for {asked}"


@cache
def _agent_version() -> str:
    """Of this agent, as it was installed; looking it up reads files."""
    return version("outrider")


def why_no_program(program: str) -> str:
    """In words why a program cannot be run; empty where it is there."""
    return "" if shutil.which(program) else f"there is no {program}"
