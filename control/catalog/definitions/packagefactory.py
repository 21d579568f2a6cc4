"""packagefactory's App.json in Graph's words (aaronparker/packagefactory)."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from control.catalog.definitions.bundle import AppBundle, Json
from control.catalog.definitions.canonical import canonical
from control.catalog.definitions.failures import invalid
from control.catalog.definitions.graph_fields import APP_TYPE, TEXTS
from control.catalog.definitions.packagefactory_assignments import assignment
from control.catalog.definitions.windows_releases import graph_release

_ARCHITECTURES = {"all": "x64,x86", "allwitharm64": "x64,x86,arm64"}

#: Sections whose every field has a word in Graph; what is left of the others is kept beside.
_SECTIONS = ("Application", "PackageInformation", "Information", "Program", "RequirementRule")

#: Section, field, Graph's field.
_FIELDS = (
    ("Information", "DisplayName", "displayName"),
    ("Information", "Description", "description"),
    ("Information", "Publisher", "publisher"),
    ("Information", "InformationURL", "informationUrl"),
    ("Information", "PrivacyURL", "privacyInformationUrl"),
    ("Information", "Notes", "notes"),
    ("Information", "Owner", "owner"),
    ("Information", "Developer", "developer"),
    ("PackageInformation", "Version", "displayVersion"),
    ("PackageInformation", "SetupFile", "setupFilePath"),
    ("Program", "InstallCommand", "installCommandLine"),
    ("Program", "UninstallCommand", "uninstallCommandLine"),
    ("Program", "AllowAvailableUninstall", "allowAvailableUninstall"),
    ("RequirementRule", "MinimumFreeDiskSpaceInMB", "minimumFreeDiskSpaceInMB"),
    ("RequirementRule", "MinimumMemoryInMB", "minimumMemoryInMB"),
    ("RequirementRule", "MinimumNumberOfProcessors", "minimumNumberOfProcessors"),
    ("RequirementRule", "MinimumCPUSpeedInMHz", "minimumCpuSpeedInMHz"),
)
_ELSEWHERE = {
    "Information": {"Categories"},
    "Program": {"InstallExperience", "DeviceRestartBehavior"},
    "RequirementRule": {"MinimumRequiredOperatingSystem", "Architecture"},
}

#: Type and method of a rule: Graph's operation and where the expected value stands.
_OPERATIONS = {
    ("file", "version"): ("version", "VersionValue"),
    ("file", "datemodified"): ("modifiedDate", "DateTimeValue"),
    ("file", "datecreated"): ("createdDate", "DateTimeValue"),
    ("file", "size"): ("sizeInMB", "SizeInMBValue"),
    ("registry", "versioncomparison"): ("version", "Value"),
    ("registry", "stringcomparison"): ("string", "Value"),
    ("registry", "integercomparison"): ("integer", "Value"),
}
_OUTPUTS = {word.lower(): word for word in ("string", "integer", "boolean", "dateTime", "float", "version")}
_EXISTENCE = {"exists": "exists", "notexists": "doesNotExist", "doesnotexist": "doesNotExist"}
_RULE_TYPES = {"msi": "ProductCode", "file": "FileSystem", "registry": "Registry", "script": "PowerShellScript"}


def is_packagefactory(document: Any) -> bool:
    """Whether the document is an App.json."""
    return isinstance(document, dict) and {"PackageInformation", "Information", "Program"} <= document.keys()


def from_packagefactory(document: Json, folder: Path | None) -> AppBundle:
    """The definition in Graph's words; scripts it names are looked for in the folder.

    Raises:
        DocumentError: DEFINITION_INVALID where a section or rule is not as App.json has it.
    """
    sections = {name: _section(document, name) for name in _SECTIONS}
    rules, notes = [], []
    for list_name, kind in (("DetectionRule", "detection"), ("CustomRequirementRule", "requirement")):
        for index, rule in enumerate(_items(document, list_name)):
            converted, note = _rule(rule, kind, folder, f"{list_name}[{index}]")
            rules.append(converted)
            notes += note
    app = canonical(_fields(sections)) | {"rules": canonical(rules)}
    return AppBundle(
        app=app,
        assignments=tuple(canonical(assignment(item)) for item in _items(document, "Assignments")),
        relationships=tuple(_relations(document)),
        categories=tuple({"displayName": str(name)} for name in _categories(sections["Information"])),
        beyond={"packagefactory": rest} if (rest := _rest(sections)) else {},
        notes=tuple(notes),
    )


def _fields(sections: dict[str, Json]) -> Json:
    app: Json = {"@odata.type": APP_TYPE}
    for section, field, name in _FIELDS:
        if sections[section].get(field) not in (None, ""):
            value = sections[section][field]
            app[name] = str(value) if name in TEXTS else value
    program, requirement = sections["Program"], sections["RequirementRule"]
    app["installExperience"] = {
        "runAsAccount": program.get("InstallExperience"),
        "deviceRestartBehavior": program.get("DeviceRestartBehavior"),
    }
    if release := requirement.get("MinimumRequiredOperatingSystem"):
        app["minimumSupportedWindowsRelease"] = graph_release(str(release))
    if architecture := requirement.get("Architecture"):
        app["applicableArchitectures"] = _ARCHITECTURES.get(str(architecture).lower(), str(architecture))
    return _with_msi_commands(app, sections["PackageInformation"])


def _with_msi_commands(app: Json, package: Json) -> Json:
    """An MSI needs no commands in App.json: the tool then writes msiexec's."""
    setup = package.get("SetupFile")
    if str(package.get("SetupType")).upper() == "MSI" and setup:
        return {"installCommandLine": f'msiexec /i "{setup}" /q', **app}
    return app


def _rule(rule: Json, kind: str, folder: Path | None, place: str) -> tuple[Json, list[str]]:
    word = str(rule.get("Type")).lower()
    if word not in _RULE_TYPES:
        raise invalid(f"found type {rule.get('Type')!r}, expected MSI, File, Registry or Script", place)
    converted: Json = {"@odata.type": f"#microsoft.graph.win32LobApp{_RULE_TYPES[word]}Rule", "ruleType": kind}
    match word:
        case "msi":
            names = ("ProductCode", "ProductVersionOperator", "ProductVersion")
            return converted | {name[0].lower() + name[1:]: rule.get(name) for name in names}, []
        case "script":
            return _script(converted, rule, folder, place)
        case _:
            return converted | _subject(rule, word) | _comparison(rule, word, place), []


def _subject(rule: Json, word: str) -> Json:
    common = {"check32BitOn64System": rule.get("Check32BitOn64System", False)}
    if word == "file":
        return {"path": rule.get("Path"), "fileOrFolderName": rule.get("FileOrFolder"), **common}
    return {"keyPath": rule.get("KeyPath"), "valueName": rule.get("ValueName"), **common}


def _comparison(rule: Json, word: str, place: str) -> Json:
    method = str(rule.get("DetectionMethod")).lower()
    if method == "existence":
        wanted = str(rule.get("DetectionType", "exists")).lower()
        if wanted not in _EXISTENCE:
            raise invalid(f"found {wanted!r}, expected exists or notExists", f"{place}.DetectionType")
        return {"operationType": _EXISTENCE[wanted], "operator": "notConfigured"}
    if (word, method) not in _OPERATIONS:
        raise invalid(f"found method {rule.get('DetectionMethod')!r}", f"{place}.DetectionMethod")
    operation, value = _OPERATIONS[word, method]
    return {"operationType": operation, "operator": rule.get("Operator"), "comparisonValue": rule.get(value)}


def _script(converted: Json, rule: Json, folder: Path | None, place: str) -> tuple[Json, list[str]]:
    name = str(rule.get("ScriptFile", ""))
    text = _script_text(name, folder)
    notes = [] if text else [f"{place}: the script {name} does not lie beside the file; put its text into the rule."]
    found = converted | {
        "enforceSignatureCheck": rule.get("EnforceSignatureCheck", False),
        "runAs32Bit": rule.get("RunAs32Bit", rule.get("RunAs32BitOn64System", False)),
        "scriptContent": base64.b64encode(text).decode(),
    }
    if converted["ruleType"] == "requirement":
        found |= _output(rule, name, place)
    return found, notes


def _output(rule: Json, name: str, place: str) -> Json:
    """How the script's output is judged: the method names the type, such as `StringOutput`."""
    method = str(rule.get("DetectionMethod") or rule.get("OutputDataType") or "String").lower().removesuffix("output")
    if method not in _OUTPUTS:
        raise invalid(f"found method {rule.get('DetectionMethod')!r}, expected one such as StringOutput", place)
    return {
        "displayName": name,
        "runAsAccount": rule.get("ScriptContext") or rule.get("RunAsAccount"),
        "operationType": _OUTPUTS[method],
        "operator": rule.get("Operator"),
        "comparisonValue": rule.get("Value"),
    }


def _script_text(name: str, folder: Path | None) -> bytes:
    if folder is None or not name or Path(name).name != name:
        return b""
    candidates = (folder / name, folder / "Scripts" / name, folder / "Source" / name)
    return next((path.read_bytes() for path in candidates if path.is_file()), b"")


def _relations(document: Json) -> Iterator[Json]:
    for list_name, kind, field in (
        ("Dependencies", "mobileAppDependency", "dependencyType"),
        ("Supersedence", "mobileAppSupersedence", "supersedenceType"),
    ):
        for item in _items(document, list_name):
            named = {"targetId": item.get("AppId") or item.get("ID"), "targetDisplayName": item.get("Name")}
            word = item.get(field[0].upper() + field[1:]) or item.get("Type")
            yield canonical({"@odata.type": f"#microsoft.graph.{kind}", **named, field: word})


def _rest(sections: dict[str, Json]) -> Json:
    """What has no word in Graph, section by section."""
    mapped = {name: {field for section, field, _ in _FIELDS if section == name} for name in _SECTIONS}
    rest = {
        name: {key: value for key, value in section.items() if key not in mapped[name] | _ELSEWHERE.get(name, set())}
        for name, section in sections.items()
    }
    return {name: fields for name, fields in rest.items() if fields}


def _categories(information: Json) -> list[Any]:
    found = information.get("Categories") or []
    return found if isinstance(found, list) else [found]


def _section(document: Json, name: str) -> Json:
    found = document.get(name) or {}
    if not isinstance(found, dict):
        raise invalid(f"found {type(found).__name__}, expected an object", name)
    _check_scalars({key: value for key, value in found.items() if key != "Categories"}, name)
    return found


def _check_scalars(fields: Json, place: str) -> None:
    for key, value in fields.items():
        if isinstance(value, dict | list):
            raise invalid(f"found {type(value).__name__}, expected one value", f"{place}.{key}")


def _items(document: Json, name: str) -> list[Json]:
    found = document.get(name) or []
    items = found if isinstance(found, list) else [found]
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise invalid(f"found {item!r:.60}, expected an object", f"{name}[{index}]")
        _check_scalars(item, f"{name}[{index}]")
    return items
