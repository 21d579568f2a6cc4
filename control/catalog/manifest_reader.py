"""Read a manifest and say exactly where it is wrong."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from contract.rules import FileRule, PackageRule, ProcessRule, ProductCodeRule, RegistryRule, ScriptRule
from control.catalog.assignment_entries import AssignmentEntry
from control.catalog.manifest import Manifest
from control.catalog.manifest_entries import (
    DependencyEntry,
    InstallExperienceEntry,
    ReturnCodeEntry,
    SecretEntry,
    SupersedenceEntry,
)

#: A manifest is a page or two; scripts in it make it longer.
MAX_MANIFEST_BYTES = 1024 * 1024

#: Rules by their type; pydantic puts these words between a list's index and the field.
_RULES: dict[int | str, type[BaseModel]] = {
    "file": FileRule,
    "registry": RegistryRule,
    "productCode": ProductCodeRule,
    "script": ScriptRule,
    "package": PackageRule,
    "process": ProcessRule,
}
#: The fields that hold rules, as files may spell them.
_RULE_LISTS = ("detectionRules", "detection_rules", "requirementRules", "requirement_rules")


def read_manifest(path: Path) -> Manifest:
    """The manifest in a YAML (or JSON) file.

    Raises:
        InputError: The file cannot be read.
        DocumentError: It is no manifest; place and expectation are named.
    """
    try:
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise _invalid(str(path), f"larger than {MAX_MANIFEST_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(ErrorCode.MANIFEST_INVALID, place=str(path), detail=f"cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise _invalid(str(path), "is not UTF-8 text") from error
    return parse_manifest(text, place=str(path))


def parse_manifest(text: str, *, place: str = "manifest") -> Manifest:
    """The manifest in a YAML text.

    Raises:
        DocumentError: It is no manifest; place and expectation are named.
    """
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _invalid(place, f"is not YAML: {' '.join(str(error).split())}") from error
    return validate_manifest(data, place=place)


def validate_manifest(data: object, *, place: str = "") -> Manifest:
    """The manifest in parsed data.

    Raises:
        DocumentError: It is no manifest; the first wrong field is the place, all are in the detail.
    """
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise _invalid(place or "manifest", f"expected fields such as `name: ...`, found {type(data).__name__}")
    misspelt = list(_unknown_rule_keys(data))
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        entries = error.errors(include_url=False)
        raise _from_problems(place, [*_problems(entries), *misspelt]) from error
    if misspelt:
        raise _from_problems(place, misspelt)
    return manifest


def manifest_schema() -> dict[str, Any]:
    """The published JSON schema; like the reader it knows no other keys than the listed ones."""
    schema = Manifest.model_json_schema(by_alias=True)
    for definition in (schema, *schema.get("$defs", {}).values()):
        if definition.get("type") == "object":
            definition["additionalProperties"] = False
    return schema


def _from_problems(file: str, problems: list[tuple[str, str]]) -> DocumentError:
    place = f"{file}: {problems[0][0]}" if file else problems[0][0]
    rest = [f"{where}: {what}" for where, what in problems[1:]]
    return _invalid(place, "; ".join([problems[0][1], *rest]))


def _invalid(place: str, detail: str) -> DocumentError:
    return DocumentError(ErrorCode.MANIFEST_INVALID, place=place, detail=detail)


def _problems(entries: Sequence[ErrorDetails]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        inside = any(other is not entry and other["loc"][: len(entry["loc"])] == entry["loc"] for other in entries)
        # A list whose entries are wrong also counts as too short: that says nothing new.
        if not (inside and entry["type"] == "too_short"):
            yield _problem(entry)


def _problem(entry: ErrorDetails) -> tuple[str, str]:
    location = entry["loc"]
    place = _dotted(location)
    if entry["type"] == "extra_forbidden":
        return place, _unknown_key(str(location[-1]), _known_keys(location))
    if entry["type"] == "missing":
        return place, "is missing"
    found = entry["input"]
    shown = f", found {found!r}" if isinstance(found, str | int | float) else ""
    return place, f"{entry['msg'][:1].lower()}{entry['msg'][1:]}{shown}"


def _dotted(location: tuple[int | str, ...]) -> str:
    parts: list[str] = []
    in_rules = location[:1] and location[0] in _RULE_LISTS
    for index, part in enumerate(location):
        if isinstance(part, int) and parts:
            parts[-1] += f"[{part}]"
        elif not (in_rules and part in _RULES and isinstance(location[index - 1], int)):
            parts.append(str(part))
    return ".".join(parts) or "manifest"


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    parts: dict[int | str, type[BaseModel]] = {
        "installExperience": InstallExperienceEntry,
        "returnCodes": ReturnCodeEntry,
        "secrets": SecretEntry,
        "dependencies": DependencyEntry,
        "supersedence": SupersedenceEntry,
        "assignments": AssignmentEntry,
    }
    return _keys(parts.get(location[0], Manifest))


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown_rule_keys(data: Mapping[object, object]) -> Iterator[tuple[str, str]]:
    """Rules keep unknown keys when they travel in policies; in a manifest such a key is a mistake."""
    for name in _RULE_LISTS:
        rules = data.get(name)
        for index, rule in enumerate(rules if isinstance(rules, list) else ()):
            model = _RULES.get(str(rule.get("type"))) if isinstance(rule, Mapping) else None
            if model is not None:
                keys = _keys(model)
                for key in (key for key in rule if key not in keys and key not in model.model_fields):
                    yield f"{name}[{index}].{key}", _unknown_key(str(key), keys)


def _unknown_key(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"unknown key; did you mean `{close[0]}`?" if close else f"unknown key; known are {', '.join(known)}"
