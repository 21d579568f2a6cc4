"""The facts of an MSI setup file, by the derivation rules of the format (package 1.3)."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pymsi.package import Package

from contract.error_codes import ErrorCode
from contract.errors import PackageError
from storage.intunewin.failures import reason
from storage.intunewin.metadata import MsiExecutionContext, MsiInfo

if TYPE_CHECKING:
    from io import BytesIO

#: Everything the MSI reader raises on files that are none or are broken.
_READER_FAILURES = (OSError, ValueError, LookupError, AttributeError, TypeError, EOFError, struct.error, AssertionError)

_CONTEXTS = {"": MsiExecutionContext.USER, "1": MsiExecutionContext.SYSTEM, "2": MsiExecutionContext.ANY}

#: Registry roots: HKEY_LOCAL_MACHINE, HKEY_USERS, and the one that depends on the installation's scope.
_SYSTEM_ROOTS = {2, 3}
_SCOPE_ROOT = -1

_SYSTEM_FOLDERS = {
    "AdminToolsFolder",
    "CommonAppDataFolder",
    "FontsFolder",
    "System16Folder",
    "System64Folder",
    "SystemFolder",
    "TempFolder",
    "WindowsFolder",
    "WindowsVolume",
}


@dataclass(frozen=True)
class MsiFacts:
    """What an MSI holds, as far as the rules need it.

    Attributes:
        properties: The Property table.
        subject: Summary property 3.
        author: Summary property 4.
        revision: Summary property 9, the package code.
        registry_roots: The roots in Registry and RemoveRegistry.
        directories: The keys of Directory.
        has_odbc_sources: Whether ODBCDataSource has rows.
    """

    properties: Mapping[str, str]
    subject: str = ""
    author: str = ""
    revision: str = ""
    registry_roots: frozenset[int] = frozenset()
    directories: frozenset[str] = field(default_factory=frozenset)
    has_odbc_sources: bool = False


def read_msi(path: Path) -> tuple[str, MsiInfo]:
    """The product's name and the MsiInfo of the MSI at that path.

    Raises:
        PackageError: PACKAGE_SOURCE_UNUSABLE where the file is no MSI, is broken, or lacks what is required.
    """
    try:
        # The reader takes any binary file, though it states less; given a path it would leave the file open on errors.
        with path.open("rb") as file, Package(cast("BytesIO", file), strict=False) as package:
            facts = _facts(package)
    except _READER_FAILURES as error:
        detail = reason(error) if isinstance(error, OSError) else f"not a readable MSI: {error}"
        raise PackageError(ErrorCode.PACKAGE_SOURCE_UNUSABLE, detail=detail, place=str(path)) from error
    try:
        return product_name(facts), derive(facts)
    except ValueError as error:
        raise PackageError(ErrorCode.PACKAGE_SOURCE_UNUSABLE, detail=str(error), place=str(path)) from error


def product_name(facts: MsiFacts) -> str:
    """`Name` of the package: ProductName, else the summary's subject."""
    return facts.properties.get("ProductName") or facts.subject


def derive(facts: MsiFacts) -> MsiInfo:
    """The MsiInfo that belongs to the facts.

    MsiIncludesServices stays false, as Microsoft's tool leaves it for an MSI with two services; nothing reads it.

    Raises:
        ValueError: ProductCode or ProductVersion is missing, or ALLUSERS has an unknown value.
    """
    properties = facts.properties
    all_users = properties.get("ALLUSERS", "")
    if all_users not in _CONTEXTS:
        raise ValueError(f"the property ALLUSERS is {all_users!r}, expected none, 1 or 2")
    is_user = all_users != "1" and (all_users != "2" or "MSIINSTALLPERUSER" in properties)
    return MsiInfo(
        product_code=_required(properties, "ProductCode").upper(),
        product_version=_required(properties, "ProductVersion"),
        package_code=facts.revision.upper() or None,
        upgrade_code=properties.get("UpgradeCode", "").upper() or None,
        execution_context=_CONTEXTS[all_users],
        requires_logon=_CONTEXTS[all_users] is MsiExecutionContext.USER,
        requires_reboot=properties.get("REBOOT", "").upper().startswith("F"),
        is_machine_install=not is_user,
        is_user_install=is_user,
        includes_odbc_data_source=facts.has_odbc_sources,
        contains_system_registry_keys=_writes_system_registry(facts, is_user=is_user),
        contains_system_folders=bool(facts.directories & _SYSTEM_FOLDERS),
        publisher=properties.get("Manufacturer") or facts.author or None,
    )


def _writes_system_registry(facts: MsiFacts, *, is_user: bool) -> bool:
    return bool(facts.registry_roots & _SYSTEM_ROOTS) or (_SCOPE_ROOT in facts.registry_roots and not is_user)


def _required(properties: Mapping[str, str], name: str) -> str:
    value = properties.get(name)
    if not value:
        raise ValueError(f"the property {name} is missing")
    return value


def _facts(package: Package) -> MsiFacts:
    properties = {row["Property"]: row["Value"] or "" for row in _rows(package, "Property")}
    summary: Any = package.summary
    registry = _rows(package, "Registry") + _rows(package, "RemoveRegistry")
    return MsiFacts(
        properties=properties,
        subject=summary.subject() or "",
        author=summary.author() or "",
        revision=summary.uuid() or "",
        registry_roots=frozenset(row["Root"] for row in registry),
        directories=frozenset(row["Directory"] for row in _rows(package, "Directory")),
        has_odbc_sources=bool(_rows(package, "ODBCDataSource")),
    )


def _rows(package: Package, table: str) -> list[dict[str, Any]]:
    found: Any = package.get(table)
    return [] if found is None else list(found.rows)
