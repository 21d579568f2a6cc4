"""A manifest and what was kept beside it as Graph's win32LobApp (package 4.1)."""

from enum import StrEnum
from typing import Any

from control.catalog.definitions.bundle import Json
from control.catalog.definitions.failures import invalid
from control.catalog.definitions.graph_fields import APP_TYPE, BETA_ONLY, READ_ONLY, V1_INSTALL_EXPERIENCE
from control.catalog.definitions.manifest_rules import to_graph_rule
from control.catalog.definitions.relations import graph_relations
from control.catalog.definitions.rule_forms import old_lists
from control.catalog.definitions.to_manifest import INSTALL_EXPERIENCE, RULE_LISTS, SAME
from control.catalog.definitions.windows_releases import release_name

_TYPE_PREFIX = "#microsoft.graph."
_RELATIONS = ("assignments", "relationships", "categories")
_V1_RELATIONS = ("assignments", "categories")


#: What an app has that states none (package 4.5).
_DEFAULT_RETURN_CODES = (
    {"returnCode": 0, "type": "success"},
    {"returnCode": 1707, "type": "success"},
    {"returnCode": 3010, "type": "softReboot"},
    {"returnCode": 1641, "type": "hardReboot"},
    {"returnCode": 1618, "type": "retry"},
)


class GraphVersion(StrEnum):
    """The versions of Graph that differ in what they know of an app."""

    V1 = "v1.0"
    BETA = "beta"


def to_graph(manifest: Json, beside: Json, *, version: GraphVersion = GraphVersion.BETA, create: bool = False) -> Json:
    """The app as one Graph document.

    Args:
        manifest: The manifest's fields.
        beside: What was kept beside the manifest when it was imported; may be empty.
        version: Which fields to write. Beta knows them all, and rules in both their forms.
        create: Whether to leave out what only Graph sets and what is posted apart, so that the document can be posted.

    Raises:
        DocumentError: DEFINITION_INVALID where the manifest is not one; RULE_WITHOUT_COUNTERPART where Graph has no
                such rule.
    """
    if not manifest and "app" not in beside:
        return {name: beside[name] for name in _RELATIONS if name in beside}
    try:
        app = _app(manifest, dict(beside.get("app", {})))
        stated = beside | graph_relations(manifest, beside)
    except (KeyError, TypeError, AttributeError) as error:
        raise invalid(f"the manifest is not valid: {error}", manifest.get("name", "manifest")) from error
    if version is GraphVersion.BETA and app.get("rules"):
        app |= old_lists(app["rules"])
    left_out = (READ_ONLY if create else frozenset()) | (BETA_ONLY if version is GraphVersion.V1 else frozenset())
    app = {name: value for name, value in app.items() if name not in left_out}
    if version is GraphVersion.V1:
        experience = app["installExperience"]
        app["installExperience"] = {name: experience[name] for name in experience.keys() & V1_INSTALL_EXPERIENCE}
    relations = () if create else _RELATIONS if version is GraphVersion.BETA else _V1_RELATIONS
    return app | {name: stated[name] for name in relations if name in stated}


def _app(manifest: Json, kept: Json) -> Json:
    app: Json = {name: manifest[own] for name, own in SAME.items() if own in manifest}
    app |= _platform(manifest, kept)
    app |= _rules(manifest, kept)
    app["installExperience"] = _install_experience(manifest, kept)
    app["returnCodes"] = [
        {"@odata.type": f"{_TYPE_PREFIX}win32LobAppReturnCode", **code}
        for code in manifest.get("returnCodes") or _DEFAULT_RETURN_CODES
    ]
    return {
        "@odata.type": APP_TYPE,
        **kept,
        **{name: value for name, value in app.items() if value not in (None, [], {})},
    }


def _platform(manifest: Json, kept: Json) -> Json:
    found: Json = {}
    if words := manifest.get("applicableArchitectures"):
        name = "allowedArchitectures" if "applicableArchitectures" in kept else "applicableArchitectures"
        found[name] = ",".join(words)
    if release := manifest.get("minimumOsRelease"):
        found["minimumSupportedWindowsRelease"] = release_name(release)
    return found


def _rules(manifest: Json, kept: Json) -> Json:
    beyond = kept.pop("ruleFields", {})
    rules: list[Any] = []
    for rule_type, name in RULE_LISTS.items():
        for index, rule in enumerate(manifest.get(name, ())):
            place = f"{name}[{index}]"
            rules.append(to_graph_rule(rule, rule_type, place) | beyond.get(place, {}))
    return {"rules": rules + kept.pop("rules", [])}


def _install_experience(manifest: Json, kept: Json) -> Json:
    stated = manifest.get("installExperience", {})
    found = {"runAsAccount": "system"} | {name: stated[name] for name in INSTALL_EXPERIENCE if name in stated}
    more: Json = kept.pop("installExperience", {})
    return {"@odata.type": f"{_TYPE_PREFIX}win32LobAppInstallExperience"} | found | more
