"""Other apps and groups of a definition: by name in the manifest, everything else beside it, nothing lost."""

from collections.abc import Sequence
from json import dumps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.catalog.definitions.bundle import AppBundle
from control.catalog.definitions.relations import graph_relations, take_relations
from control.catalog.definitions.to_graph import GraphVersion, to_graph
from control.catalog.definitions.to_manifest import to_manifest
from control.catalog.manifest import Manifest
from tests.control.plane import manifest_data

Json = dict[str, Any]

DEPENDENCY = {
    "@odata.type": "#microsoft.graph.mobileAppDependency",
    "id": "1_2",
    "targetId": "2",
    "targetDisplayName": "Runtime",
    "targetType": "child",
    "dependencyType": "autoInstall",
}
SUPERSEDENCE = {
    "@odata.type": "#microsoft.graph.mobileAppSupersedence",
    "targetId": "3",
    "targetDisplayName": "Old Editor",
    "supersedenceType": "replace",
    "fieldOfTomorrow": [1],
}
TARGET = {
    "@odata.type": "#microsoft.graph.groupAssignmentTarget",
    "groupId": "4",
    "groupDisplayName": "desks",
    "deviceAndAppManagementAssignmentFilterType": "none",
}
ASSIGNMENT: Json = {
    "@odata.type": "#microsoft.graph.mobileAppAssignment",
    "intent": "required",
    "target": TARGET,
    "settings": {"notifications": "hideAll"},
}
ODD = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2)
NAMES = st.sampled_from(["Runtime", "Old Editor", "Editor", "desks"])


def changed(document: Json, **words: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """The document with some of these fields changed."""
    return st.fixed_dictionaries({}, optional=words).map(lambda changes: document | changes)


RELATIONS = st.lists(
    changed(DEPENDENCY, targetDisplayName=NAMES | ODD, dependencyType=st.just("detect") | ODD, targetType=ODD)
    | changed(SUPERSEDENCE, targetDisplayName=NAMES | ODD, supersedenceType=st.just("update") | ODD, targetId=ODD),
    max_size=5,
)
ASSIGNMENTS = st.lists(
    changed(
        ASSIGNMENT,
        intent=st.sampled_from(["available", "uninstall"]) | ODD,
        target=changed(TARGET, groupDisplayName=NAMES | ODD, groupId=ODD, deviceAndAppManagementAssignmentFilterId=ODD),
    ),
    max_size=5,
)


def bundle(relationships: Sequence[Json] = (), assignments: Sequence[Json] = ()) -> AppBundle:
    return AppBundle(app={"displayName": "Editor"}, relationships=tuple(relationships), assignments=tuple(assignments))


def there_and_back(found: AppBundle) -> Json:
    draft = to_manifest(found)
    return to_graph(draft.fields, draft.beside)


def test_names_go_into_the_manifest() -> None:
    fields = to_manifest(bundle([DEPENDENCY, SUPERSEDENCE], [ASSIGNMENT])).fields
    assert fields["dependencies"] == [{"app": "Runtime", "dependencyType": "autoInstall"}]
    assert fields["supersedence"] == [{"app": "Old Editor", "supersedenceType": "replace"}]
    assert fields["assignments"] == [{"group": "desks", "intent": "required"}]


def test_ids_and_all_else_come_back() -> None:
    back = there_and_back(bundle([DEPENDENCY, SUPERSEDENCE], [ASSIGNMENT]))
    assert back["relationships"] == [DEPENDENCY, SUPERSEDENCE]
    assert back["assignments"] == [ASSIGNMENT]


def test_what_is_taken_out_of_the_manifest_does_not_come_back() -> None:
    draft = to_manifest(bundle([DEPENDENCY, SUPERSEDENCE]))
    del draft.fields["dependencies"]
    assert to_graph(draft.fields, draft.beside)["relationships"] == [SUPERSEDENCE]


def test_ids_stay_with_their_names_when_the_list_is_put_in_another_order() -> None:
    other = DEPENDENCY | {"targetId": "9", "targetDisplayName": "Fonts"}
    draft = to_manifest(bundle([DEPENDENCY, other]))
    draft.fields["dependencies"].reverse()
    assert [one["targetId"] for one in to_graph(draft.fields, draft.beside)["relationships"]] == ["9", "2"]


@pytest.mark.parametrize(
    "changes",
    [
        {"targetDisplayName": ""},
        {"targetDisplayName": 5},
        {"targetDisplayName": "x" * 201},
        {"targetDisplayName": "Editor"},
        {"targetType": "parent"},
        {"dependencyType": "ofTomorrow"},
        {"dependencyType": ["detect"]},
        {"@odata.type": "#microsoft.graph.mobileAppRelationOfTomorrow"},
    ],
)
def test_a_relation_no_manifest_can_hold_stays_as_it_came(changes: Json) -> None:
    relation = DEPENDENCY | changes
    found = bundle([relation])
    assert "dependencies" not in to_manifest(found).fields
    assert there_and_back(found)["relationships"] == [relation]


@pytest.mark.parametrize(
    "changes",
    [
        {"intent": "availableWithoutEnrollment"},
        {"target": {name: value for name, value in TARGET.items() if name != "groupDisplayName"}},
        {"target": TARGET | {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget"}},
        {"target": TARGET | {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}},
        {"target": TARGET | {"deviceAndAppManagementAssignmentFilterType": "include"}},
        {"target": TARGET | {"deviceAndAppManagementAssignmentFilterId": "5"}},
        {"settings": {"installTimeSettings": {"startDateTime": "2030-01-01T00:00:00Z"}}},
    ],
)
def test_an_assignment_a_manifest_would_widen_stays_as_it_came(changes: Json) -> None:
    assignment = ASSIGNMENT | changes
    found = bundle(assignments=[assignment])
    assert "assignments" not in to_manifest(found).fields
    assert there_and_back(found)["assignments"] == [assignment]


def test_a_second_relation_to_the_same_app_stays_beside_the_first() -> None:
    again = DEPENDENCY | {"id": "7", "dependencyType": "detect"}
    draft = take_relations(bundle([DEPENDENCY, again]), "Editor")
    assert len(draft.fields["dependencies"]) == 1
    assert draft.relationships == [again]


def test_an_app_cannot_be_needed_and_replaced_by_the_same_one_so_the_second_stays_as_it_came() -> None:
    also = SUPERSEDENCE | {"targetDisplayName": "Runtime"}
    found = bundle([DEPENDENCY, also])
    assert "supersedence" not in to_manifest(found).fields
    assert there_and_back(found)["relationships"] == [DEPENDENCY, also]


def test_relations_without_their_app_make_no_manifest() -> None:
    draft = to_manifest(AppBundle(relationships=(DEPENDENCY,), assignments=(ASSIGNMENT,)))
    assert draft.fields == {}
    assert to_graph(draft.fields, draft.beside) == {"relationships": [DEPENDENCY], "assignments": [ASSIGNMENT]}


def test_a_manifest_written_by_hand_needs_nothing_beside_it() -> None:
    manifest = {"dependencies": [{"app": "Runtime"}], "assignments": [{"group": "desks", "intent": "uninstall"}]}
    found = graph_relations(manifest, {})
    assert found["relationships"] == [
        {
            "@odata.type": "#microsoft.graph.mobileAppDependency",
            "targetDisplayName": "Runtime",
            "dependencyType": "autoInstall",
        }
    ]
    assert (found["assignments"][0]["intent"], found["assignments"][0]["target"]["groupDisplayName"]) == (
        "uninstall",
        "desks",
    )


def test_a_document_to_post_holds_no_relations() -> None:
    draft = to_manifest(bundle([DEPENDENCY], [ASSIGNMENT]))
    assert not {"relationships", "assignments"} & to_graph(draft.fields, draft.beside, create=True).keys()
    assert "relationships" not in to_graph(draft.fields, draft.beside, version=GraphVersion.V1)


@given(RELATIONS, ASSIGNMENTS)
def test_whatever_relations_say_none_is_lost_and_the_manifest_stays_valid(
    relationships: list[Json], assignments: list[Json]
) -> None:
    found = bundle(relationships, assignments)
    draft = take_relations(found, "Editor")
    Manifest.model_validate(manifest_data(**draft.fields))
    back = graph_relations(
        draft.fields,
        {
            "relationFields": draft.beyond,
            "relationships": draft.relationships,
            "assignments": draft.assignments,
        },
    )
    assert sorted(map(dumps_sorted, back.get("relationships", []))) == sorted(map(dumps_sorted, relationships))
    assert sorted(map(dumps_sorted, back.get("assignments", []))) == sorted(map(dumps_sorted, assignments))


def dumps_sorted(document: Json) -> str:
    return dumps(document, sort_keys=True)
