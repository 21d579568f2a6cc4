"""What the agent asks of the machine it runs on, method by method.

Implementations are chosen by `worker.platform.select`; all pass the suite in `tests/worker/platform/`. Nothing here
compares or judges: a platform reads, `worker.judgement` decides.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from contract.rules import PackageManager, Rule
from contract.uplink import DeviceFacts


class UnanswerableError(Exception):
    """The platform has no such thing; `Platform.why_unanswerable` says so before anything is asked."""


class View(StrEnum):
    """Which of a 64-bit Windows' two faces is looked at; elsewhere both are the same (behaviour 2.8)."""

    NATIVE = "64-bit"
    BITS_32 = "32-bit"


class Hive(StrEnum):
    """A root of the Windows registry."""

    LOCAL_MACHINE = "HKEY_LOCAL_MACHINE"
    CURRENT_USER = "HKEY_CURRENT_USER"
    CLASSES_ROOT = "HKEY_CLASSES_ROOT"
    USERS = "HKEY_USERS"
    CURRENT_CONFIG = "HKEY_CURRENT_CONFIG"


@dataclass(frozen=True)
class RegistryKey:
    """A key of the registry.

    Attributes:
        path: Below the hive, joined by backslashes.
    """

    hive: Hive
    path: str
    view: View = View.NATIVE


#: A value of the registry: REG_SZ and REG_EXPAND_SZ (not expanded) are text, REG_DWORD and REG_QWORD whole numbers,
#: REG_MULTI_SZ a tuple, everything else bytes.
RegistryValue = str | int | tuple[str, ...] | bytes


@dataclass(frozen=True)
class FileFacts:
    """What a file rule can look at.

    Attributes:
        size: Bytes; None for a folder.
        modified_at: In UTC.
        created_at: In UTC; None where the file system does not keep it.
        version: The four numbers of a Windows program's version resource, joined by dots; None where there are none.
    """

    size: int | None
    modified_at: datetime
    created_at: datetime | None
    version: str | None = None


@dataclass(frozen=True)
class PackageFacts:
    """An installed package.

    Attributes:
        manager: Whose package it is; never `any`.
        version: As that manager writes it.
    """

    manager: PackageManager
    version: str


@dataclass(frozen=True)
class UserSession:
    """A person who is logged on.

    Attributes:
        user: The account's name, with its domain where it has one.
        session_id: What the platform calls the session: a number on Windows, a terminal elsewhere.
    """

    user: str
    session_id: str


class Platform(Protocol):
    """The machine, as rules and installers see it.

    Every method that reads may raise `OSError` where the machine does not tell: no rights, a locked file, a database
    that is being rebuilt. That is never the same as "not there".
    """

    def facts(self) -> DeviceFacts:
        """What the device says of itself."""
        ...

    def time_zone(self) -> str:
        """The IANA name of the device's zone, which is one of the facts."""
        ...

    def cpu_speed_in_mhz(self) -> int | None:
        """The processors' highest speed; None where the machine does not tell."""
        ...

    def user_sessions(self) -> tuple[UserSession, ...]:
        """Who is logged on now, the longest first."""
        ...

    def why_unanswerable(self, rule: Rule) -> str:
        """In words why this platform cannot answer the rule; empty where it can."""
        ...

    def expand(self, path: str, view: View = View.NATIVE) -> str:
        """The path with each `%NAME%` replaced by the agent's environment variable of that name, as a view has it.

        Raises:
            LookupError: There is no such variable.
        """
        ...

    def file_facts(self, path: Path) -> FileFacts | None:
        """What lies at the path, links followed; None where nothing does.

        Raises:
            OSError: It cannot be told.
        """
        ...

    def has_registry_key(self, key: RegistryKey) -> bool:
        """Whether the key is there.

        Raises:
            OSError: It cannot be told.
            UnanswerableError: There is no registry.
        """
        ...

    def registry_value(self, key: RegistryKey, name: str) -> RegistryValue | None:
        """A value of a key, the unnamed one for an empty name; None where the key or the value is not there.

        Raises:
            OSError: It cannot be told.
            UnanswerableError: There is no registry.
        """
        ...

    def product_version(self, product_code: str) -> str | None:
        """The version of an installed MSI product, whichever view it is in; None where it is not installed.

        Args:
            product_code: In braces and upper case.

        Raises:
            OSError: It cannot be told.
            UnanswerableError: There are no MSI products.
        """
        ...

    def packages(self, name: str, manager: PackageManager) -> tuple[PackageFacts, ...]:
        """What is installed under a name, of every manager the machine has where `any` is asked.

        Most managers keep one version of a package; RPM keeps several of a kernel.

        Raises:
            OSError: It cannot be told.
            UnanswerableError: The machine has no such manager.
        """
        ...

    def process_names(self) -> frozenset[str]:
        """The names of all running programs, as the system writes them."""
        ...

    def script_interpreter(self, view: View = View.NATIVE) -> tuple[str, ...]:
        """What runs a rule's script that names no interpreter."""
        ...

    def why_untrusted(self, script: Path) -> str:
        """In words why the script's signature does not hold; empty where it holds.

        Raises:
            UnanswerableError: Scripts are not signed here.
        """
        ...
