"""Other apps and groups, named in a manifest and in Graph's documents (package 4.6, 4.7).

Graph means apps and groups by ids. Where a document gives names too, the manifest holds these; the ids and all else
wait beside it, under the name, for the way back. What a manifest could only say in part stays beside it as it came.
"""

from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard, get_args

from control.catalog.assignment_entries import AssignmentIntent
from control.catalog.definitions.bundle import AppBundle, Json
from control.catalog.definitions.canonical import odata_type
from control.catalog.manifest_entries import MAX_NAME_LENGTH, DependencyType, SupersedenceType

_PREFIX: Final = "#microsoft.graph."
_APP_NAME: Final = "targetDisplayName"
#: Graph itself knows no such field; Microsoft365DSC's exports name groups by it.
_GROUP_NAME: Final = "groupDisplayName"
_GROUP_TARGET: Final = "groupAssignmentTarget"
#: A relation with this target is the other app's: that one depends on this, or supersedes it.
_PARENT: Final = "parent"


@dataclass(frozen=True)
class _AppRelation:
    """One of the manifest's lists of apps: its name, the type in Graph, the field that says how, its words."""

    list_name: str
    odata_type: str
    kind: str
    words: tuple[str, ...]


_APP_RELATIONS: Final = (
    _AppRelation("dependencies", "mobileAppDependency", "dependencyType", get_args(DependencyType)),
    _AppRelation("supersedence", "mobileAppSupersedence", "supersedenceType", get_args(SupersedenceType)),
)


@dataclass
class RelationDraft:
    """The relations of a definition, split; it fills up as they are taken.

    Attributes:
        fields: The manifest's `dependencies`, `supersedence`, `assignments`; only those that name anything.
        beyond: What else their documents say, by the manifest's list and the name in it.
        relationships: Relationships that no manifest can hold, as they came.
        assignments: The same of assignments.
    """

    fields: Json = field(default_factory=dict)
    beyond: Json = field(default_factory=dict)
    relationships: list[Json] = field(default_factory=list)
    assignments: list[Json] = field(default_factory=list)

    def take(self, list_name: str, name: str, entry: Json, rest: Json) -> bool:
        """Put an entry into the manifest's list; False where the list has that name already."""
        names = self.beyond.setdefault(list_name, {})
        if name in names:
            return False
        names[name] = rest
        self.fields.setdefault(list_name, []).append(entry)
        return True


def take_relations(bundle: AppBundle, app: Any) -> RelationDraft:
    """Split the relations of the app with this name into what a manifest holds and the rest."""
    draft = RelationDraft()
    draft.relationships.extend(one for one in bundle.relationships if not _take_app_relation(draft, one, app))
    draft.assignments.extend(one for one in bundle.assignments if not _take_assignment(draft, one))
    return draft


def graph_relations(manifest: Json, beside: Json) -> Json:
    """`relationships` and `assignments` of Graph: the manifest's, and then those that were kept beside it."""
    beyond = beside.get("relationFields", {})
    relationships = [
        {
            "@odata.type": _PREFIX + relation.odata_type,
            **beyond.get(relation.list_name, {}).get(entry["app"], {}),
            _APP_NAME: entry["app"],
            relation.kind: entry.get(relation.kind, relation.words[0]),
        }
        for relation in _APP_RELATIONS
        for entry in manifest.get(relation.list_name, ())
    ]
    groups = beyond.get("assignments", {})
    assignments = [
        _graph_assignment(entry, groups.get(entry["group"], {})) for entry in manifest.get("assignments", ())
    ]
    found = {
        "relationships": relationships + beside.get("relationships", []),
        "assignments": assignments + beside.get("assignments", []),
    }
    return {name: documents for name, documents in found.items() if documents}


def _take_app_relation(draft: RelationDraft, document: Json, app: Any) -> bool:
    name = document.get(_APP_NAME)
    relation = next((one for one in _APP_RELATIONS if one.odata_type == odata_type(document)), None)
    if relation is None or not _is_name(name) or name == app or document.get("targetType") == _PARENT:
        return False
    kind = document.get(relation.kind)
    if kind not in relation.words or any(name in draft.beyond.get(one.list_name, ()) for one in _APP_RELATIONS):
        return False
    rest = _without(document, "@odata.type", _APP_NAME, relation.kind)
    return draft.take(relation.list_name, name, {"app": name, relation.kind: kind}, rest)


def _take_assignment(draft: RelationDraft, document: Json) -> bool:
    target, intent = document.get("target", {}), document.get("intent")
    name = target.get(_GROUP_NAME)
    if odata_type(target) != _GROUP_TARGET or not _is_name(name) or intent not in get_args(AssignmentIntent):
        return False
    if _is_filtered(target) or document.get("settings", {}).get("installTimeSettings"):
        return False
    rest = _without(document, "@odata.type", "intent") | {"target": _without(target, "@odata.type", _GROUP_NAME)}
    return draft.take("assignments", name, {"group": name, "intent": intent}, rest)


def _graph_assignment(entry: Json, rest: Json) -> Json:
    target = {"@odata.type": _PREFIX + _GROUP_TARGET, **rest.get("target", {}), _GROUP_NAME: entry["group"]}
    return {"@odata.type": f"{_PREFIX}mobileAppAssignment", **rest, "intent": entry["intent"], "target": target}


def _is_filtered(target: Json) -> bool:
    """Whether the target is only a part of the group: a manifest would make it the whole."""
    name = "deviceAndAppManagementAssignmentFilter"
    return bool(target.get(f"{name}Id")) or target.get(f"{name}Type", "none") != "none"


def _is_name(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME_LENGTH


def _without(document: Json, *names: str) -> Json:
    return {name: value for name, value in document.items() if name not in names}
