"""Rules between Graph's form and the manifest's (package 4.3; contract.rules)."""

import base64
import binascii
from pathlib import PureWindowsPath
from typing import Any

from contract.error_codes import ErrorCode
from contract.errors import DocumentError
from contract.rules import FileOperation, RegistryOperation
from control.catalog.definitions.bundle import Json
from control.catalog.definitions.canonical import odata_type

_POWERSHELLS = {"powershell", "pwsh"}
_PREFIX = "#microsoft.graph.win32LobApp"
_TYPES = {
    "FileSystem": "file",
    "Registry": "registry",
    "ProductCode": "productCode",
    "PowerShellScript": "script",
}
_NAMES = {word: name for name, word in _TYPES.items()}

#: Fields a manifest's rule has, by its type.
_COMPARED = ("operationType", "operator", "comparisonValue")
_FIELDS = {
    "file": ("path", "fileOrFolderName", "check32BitOn64System", *_COMPARED),
    "registry": ("keyPath", "valueName", "check32BitOn64System", *_COMPARED),
    "productCode": ("productCode", "productVersionOperator", "productVersion"),
    "script": ("scriptContent", "enforceSignatureCheck", "runAs32Bit", "runAsAccount", *_COMPARED),
}
_OPERATIONS: dict[str, set[str]] = {"file": set(FileOperation), "registry": set(RegistryOperation)}


def to_manifest_rule(rule: Json) -> Json | None:
    """The rule as a manifest has it; None where a manifest has no word for what it looks at."""
    kind = _TYPES.get(odata_type(rule).removeprefix("win32LobApp").removesuffix("Rule"))
    if kind is None or rule.get("operationType", "exists") not in _OPERATIONS.get(
        kind, {rule.get("operationType", "exists")}
    ):
        return None
    found: Json = {"type": kind} | {name: rule[name] for name in _FIELDS[kind] if rule.get(name) not in (None, "")}
    if kind == "script":
        text = script_text(rule.get("scriptContent", ""))
        if text is None:
            return None
        found["scriptContent"] = text
    return found


def fields_beyond(rule: Json) -> Json:
    """The rule's fields that a manifest's rule has not."""
    kind = _TYPES[odata_type(rule).removeprefix("win32LobApp").removesuffix("Rule")]
    known = {*_FIELDS[kind], "@odata.type", "ruleType"}
    return {name: value for name, value in rule.items() if name not in known}


def to_graph_rule(rule: Json, rule_type: str, place: str) -> Json:
    """A manifest's rule as Graph has it.

    Raises:
        DocumentError: RULE_WITHOUT_COUNTERPART where Graph has no such rule.
    """
    if rule["type"] not in _NAMES:
        detail = f"found a rule of type {rule['type']}; Graph knows {', '.join(_NAMES)}"
        raise DocumentError(ErrorCode.RULE_WITHOUT_COUNTERPART, detail=detail, place=place)
    program = next(iter(rule.get("interpreter") or ()), "powershell")
    if PureWindowsPath(str(program)).stem.lower() not in _POWERSHELLS:
        detail = f"found a script for {program}; Graph knows scripts for PowerShell only"
        raise DocumentError(ErrorCode.RULE_WITHOUT_COUNTERPART, detail=detail, place=place)
    found = {"@odata.type": f"{_PREFIX}{_NAMES[rule['type']]}Rule", "ruleType": rule_type}
    found |= {name: rule[name] for name in _FIELDS[rule["type"]] if rule.get(name) is not None}
    if rule["type"] == "script":
        found["scriptContent"] = base64.b64encode(rule["scriptContent"].encode()).decode()
    return found


def script_text(content: Any) -> str | None:
    """The text of a script that Graph carries in base64; None where it is no UTF-8 text."""
    try:
        return base64.b64decode(str(content), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
