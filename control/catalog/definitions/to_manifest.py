"""A definition as a manifest, and what is kept beside it because a manifest has no word for it."""

from dataclasses import dataclass

from contract.errors import DocumentError
from control.catalog.definitions.bundle import AppBundle, Json
from control.catalog.definitions.manifest_rules import fields_beyond, to_manifest_rule
from control.catalog.definitions.relations import RelationDraft, take_relations
from control.catalog.definitions.windows_releases import release_number
from control.catalog.manifest_reader import validate_manifest

#: Graph's field and the manifest's, where they mean the same; an empty text is left out.
SAME = {
    "displayName": "name",
    "displayVersion": "displayVersion",
    "publisher": "publisher",
    "description": "description",
    "installCommandLine": "installCommandLine",
    "uninstallCommandLine": "uninstallCommandLine",
    "minimumFreeDiskSpaceInMB": "minimumFreeDiskSpaceInMB",
    "minimumMemoryInMB": "minimumMemoryInMB",
    "minimumNumberOfProcessors": "minimumNumberOfProcessors",
    "minimumCpuSpeedInMHz": "minimumCpuSpeedInMHz",
}
INSTALL_EXPERIENCE = ("runAsAccount", "deviceRestartBehavior", "maxRunTimeInMinutes")
RULE_LISTS = {"detection": "detectionRules", "requirement": "requirementRules"}
_ARCHITECTURES = {"x64", "arm64", "x86", "arm"}
_ANY_ARCHITECTURE = {"none", "neutral"}


@dataclass(frozen=True)
class ManifestDraft:
    """A manifest made from a definition.

    Attributes:
        fields: The manifest's fields; not all need be there or valid yet.
        beside: What the manifest has no word for, to be kept for the way back.
        notes: What a person should know or complete, in sentences.
    """

    fields: Json
    beside: Json
    notes: tuple[str, ...]


def to_manifest(bundle: AppBundle) -> ManifestDraft:
    """Split a definition into a manifest and the rest."""
    app = dict(bundle.app or {})
    app.pop("@odata.type", None)
    notes = list(bundle.notes)
    fields: Json = {} if bundle.app is None else {"operatingSystems": ["windows"]}
    for name, own in SAME.items():
        if name in app and app[name] != "":
            fields[own] = app.pop(name)
    _take_rules(app, fields, notes)
    _take_platform(app, fields)
    _take_install_experience(app, fields)
    if codes := app.pop("returnCodes", None):
        fields["returnCodes"] = [{name: code.get(name) for name in ("returnCode", "type")} for code in codes]
    relations = RelationDraft(relationships=list(bundle.relationships), assignments=list(bundle.assignments))
    if bundle.app is not None:
        relations = take_relations(bundle, fields.get("name"))
        fields |= relations.fields
        notes += [*_assigning(relations.fields), *_missing(fields)]
    beside = {
        "app": app,
        "assignments": relations.assignments,
        "relationships": relations.relationships,
        "relationFields": relations.beyond,
        "categories": list(bundle.categories),
        "beyond": bundle.beyond,
    }
    return ManifestDraft(fields, {name: value for name, value in beside.items() if value}, tuple(notes))


def _take_rules(app: Json, fields: Json, notes: list[str]) -> None:
    left, beyond = [], {}
    for rule in app.pop("rules", ()):
        own = to_manifest_rule(rule)
        name = RULE_LISTS.get(rule.get("ruleType", "detection"))
        if own is None or name is None:
            left.append(rule)
            looked = rule.get("operationType", "")
            notes.append(f"A rule is kept but not evaluated here: {rule['@odata.type']} {looked}".rstrip() + ".")
            continue
        fields.setdefault(name, []).append(own)
        if rest := fields_beyond(rule):
            beyond[f"{name}[{len(fields[name]) - 1}]"] = rest
    if left:
        app["rules"] = left
    if beyond:
        app["ruleFields"] = beyond


def _take_platform(app: Json, fields: Json) -> None:
    chosen = "allowedArchitectures" if app.get("allowedArchitectures") else "applicableArchitectures"
    words = set(filter(None, app.get(chosen, "").split(",")))
    if words and words <= _ARCHITECTURES | _ANY_ARCHITECTURE:
        if known := [word for word in app[chosen].split(",") if word in _ARCHITECTURES]:
            fields["applicableArchitectures"] = known
        if not words & _ANY_ARCHITECTURE:
            del app[chosen]
    number = release_number(app.get("minimumSupportedWindowsRelease", ""))
    if number:
        fields["minimumOsRelease"] = number
        del app["minimumSupportedWindowsRelease"]


def _take_install_experience(app: Json, fields: Json) -> None:
    experience = dict(app.pop("installExperience", None) or {})
    taken = {name: experience.pop(name) for name in INSTALL_EXPERIENCE if name in experience}
    if taken:
        fields["installExperience"] = taken
    if experience:
        app["installExperience"] = experience


def _assigning(fields: Json) -> list[str]:
    return [f"Publishing assigns it: {one['intent']} on {one['group']}." for one in fields.get("assignments", ())]


def _missing(fields: Json) -> list[str]:
    """What the manifest still lacks before it can be published, as the manifest's own reader says it."""
    try:
        validate_manifest(fields)
    except DocumentError as error:
        return [f"Complete before publishing: {error.place}: {error.detail}"]
    return []
