"""Graph's two forms of rules made one: `detectionRules` and `requirementRules` become `rules` (package 4.3)."""

from typing import Any

from control.catalog.definitions.bundle import Json
from control.catalog.definitions.canonical import odata_type
from control.catalog.definitions.failures import invalid

RULE_PREFIX = "win32LobApp"
_TYPE = "#microsoft.graph." + RULE_PREFIX
_OLD_LISTS = {"detectionRules": "detection", "requirementRules": "requirement"}
_OLD_SUFFIXES = {"detection": "Detection", "requirement": "Requirement"}
_NEW_NAMES = {"detectionType": "operationType", "detectionValue": "comparisonValue"}
_OLD_NAMES = {new: old for old, new in _NEW_NAMES.items()}

_HAVE_OLD_FORM = {"FileSystem", "Registry", "ProductCode", "PowerShellScript"}
_NOT_IN_OLD_SCRIPT_DETECTION = {"displayName", "runAsAccount", "operationType", "operator", "comparisonValue"}

#: Values that mean the same as no value.
_EMPTY: tuple[Any, ...] = (None, "", "notConfigured")


def merged_rules(app: Json) -> tuple[list[Json], list[str]]:
    """All rules of an app in the new form, each once, and notes on those that only one form has.

    Raises:
        DocumentError: DEFINITION_INVALID where a rule is no object or has no type.
    """
    rules = [_checked(rule, f"rules[{index}]") for index, rule in enumerate(_list(app, "rules"))]
    had_new = bool(rules)
    notes = []
    for name, kind in _OLD_LISTS.items():
        for index, old in enumerate(_list(app, name)):
            rule = to_new(_checked(old, f"{name}[{index}]"), kind)
            if not any(same_rule(rule, other) for other in rules):
                rules.append(rule)
                if had_new:
                    notes.append(f"{name}[{index}] has no counterpart in rules: both are kept, all must hold.")
    return rules, notes


def to_new(old: Json, kind: str) -> Json:
    """A rule of the old form in the new one."""
    suffix = odata_type(old).removeprefix(RULE_PREFIX).removesuffix(_OLD_SUFFIXES[kind])
    fields = {_NEW_NAMES.get(key, key): value for key, value in old.items() if key != "@odata.type"}
    return {"@odata.type": f"{_TYPE}{suffix}Rule", "ruleType": kind, **fields}


def to_old(rule: Json) -> Json:
    """A rule of the new form in the old one."""
    suffix = odata_type(rule).removeprefix(RULE_PREFIX).removesuffix("Rule")
    is_script_detection = suffix == "PowerShellScript" and rule["ruleType"] == "detection"
    dropped = {"@odata.type", "ruleType", *(_NOT_IN_OLD_SCRIPT_DETECTION if is_script_detection else ())}
    fields = {_OLD_NAMES.get(key, key): value for key, value in rule.items() if key not in dropped}
    return {"@odata.type": f"{_TYPE}{suffix}{_OLD_SUFFIXES[rule['ruleType']]}", **fields}


def old_lists(rules: list[Json]) -> dict[str, list[Json]]:
    """`detectionRules` and `requirementRules` of the rules."""
    known = [
        rule for rule in rules if odata_type(rule).removeprefix(RULE_PREFIX).removesuffix("Rule") in _HAVE_OLD_FORM
    ]
    return {name: [to_old(rule) for rule in known if rule["ruleType"] == kind] for name, kind in _OLD_LISTS.items()}


def same_rule(first: Json, second: Json) -> bool:
    """Whether two rules of the new form say the same."""
    return _said(first) == _said(second)


def _said(rule: Json) -> Json:
    return {key: value for key, value in rule.items() if value not in _EMPTY and value is not False}


def _list(app: Json, name: str) -> list[Any]:
    found = app.get(name) or []
    if not isinstance(found, list):
        raise invalid(f"found {type(found).__name__}, expected a list of rules", name)
    return found


def _checked(rule: Any, place: str) -> Json:
    if not isinstance(rule, dict):
        raise invalid(f"found {rule!r:.60}, expected a rule", place)
    if not odata_type(rule).startswith(RULE_PREFIX):
        raise invalid("the rule states no @odata.type, expected one such as win32LobAppFileSystemRule", place)
    return rule if "ruleType" in rule or not place.startswith("rules") else {**rule, "ruleType": "detection"}
