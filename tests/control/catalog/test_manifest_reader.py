"""Manifests: what is accepted, and how exactly a mistake is named."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import DocumentError, InputError
from contract.rules import FileRule, RunAsAccount, ScriptRule
from control.catalog.manifest import Manifest
from control.catalog.manifest_reader import (
    MAX_MANIFEST_BYTES,
    manifest_schema,
    parse_manifest,
    read_manifest,
    validate_manifest,
)
from tests.control.plane import manifest_data

KEYS = [
    "type",
    "path",
    "detectionRules",
    "requirementRules",
    "returnCodes",
    "installExperience",
    "name",
    "attempts",
    "dependencies",
    "supersedence",
    "assignments",
    "app",
    "group",
]
DESKS = {"group": "desks", "intent": "required"}
RELATIONS = {
    "dependencies": [{"app": "Runtime", "dependencyType": "detect"}],
    "supersedence": [{"app": "Old Editor", "supersedenceType": "update"}],
}
RULE = {"type": "file", "path": "/opt/editor", "fileOrFolderName": "bin"}


def refused(**changes: Any) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        validate_manifest(manifest_data(**changes))
    return caught.value


def test_a_manifest_with_everything_is_read() -> None:
    manifest = parse_manifest(
        """
        name: Editor
        displayVersion: 1.0
        installCommandLine: sh install.sh
        uninstallCommandLine: sh uninstall.sh
        detectionRules:
          - {type: script, scriptContent: 'echo yes', interpreter: [sh]}
        requirementRules:
          - {type: file, path: /, fileOrFolderName: etc}
        applicableArchitectures: [x64, arm64]
        operatingSystems: [linux]
        minimumOsRelease: '12.4'
        minimumFreeDiskSpaceInMB: 100
        minimumMemoryInMB: 200
        minimumNumberOfProcessors: 1
        minimumCpuSpeedInMHz: 1000
        installExperience: {runAsAccount: user, deviceRestartBehavior: suppress, maxRunTimeInMinutes: 0.5}
        returnCodes: [{returnCode: 7, type: softReboot}]
        attempts: 2
        retryIntervalInMinutes: 0.25
        grsInHours: 0.5
        dependencies: [{app: Runtime}, {app: Fonts, dependencyType: detect}]
        supersedence: [{app: Old Editor, supersedenceType: replace}]
        assignments: [{group: desks, intent: required}, {group: labs, intent: available}]
        """.replace("1.0", "'1.0'")
    )
    assert isinstance(manifest.detection_rules[0], ScriptRule)
    assert isinstance(manifest.requirement_rules[0], FileRule)
    assert manifest.install_experience.run_as_account is RunAsAccount.USER
    assert (manifest.minimum_free_disk_space_in_mb, manifest.minimum_memory_in_mb) == (100, 200)
    assert manifest.retry_interval_in_minutes == 0.25
    assert [(one.app, one.dependency_type) for one in manifest.dependencies] == [
        ("Runtime", "autoInstall"),
        ("Fonts", "detect"),
    ]
    assert [(one.app, one.supersedence_type) for one in manifest.supersedence] == [("Old Editor", "replace")]
    assert [(one.group, one.intent) for one in manifest.assignments] == [("desks", "required"), ("labs", "available")]


def test_what_was_read_is_kept_through_json() -> None:
    manifest = validate_manifest(manifest_data(**RELATIONS))
    assert Manifest.model_validate_json(manifest.to_json()) == manifest


def test_assignments_are_no_part_of_what_a_revision_keeps() -> None:
    assigned = validate_manifest(manifest_data(assignments=[DESKS]))
    assert assigned.to_json() == validate_manifest(manifest_data()).to_json()


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"detectionRules": [{**RULE, "path": ""}]}, "detectionRules[0].path", "at least 1 character"),
        ({"detectionRules": [{"type": "file", "path": "/"}]}, "detectionRules[0].fileOrFolderName", "missing"),
        ({"detectionRules": [RULE, {"type": "fle"}]}, "detectionRules[1]", "'file', 'registry', 'productCode'"),
        ({"detectionRules": []}, "detectionRules", "at least 1 item"),
        ({"detectionRules": ["@{path=...}"]}, "detectionRules[0]", "@{path=...}"),
        ({"detectionRules": [{**RULE, "pth": "x"}]}, "detectionRules[0].pth", "did you mean `path`?"),
        ({"requirementRules": [{**RULE, "x": 1}]}, "requirementRules[0].x", "known are"),
        ({"installCommand": "x"}, "installCommand", "did you mean `installCommandLine`?"),
        ({"installExperience": {"runAs": 1}}, "installExperience.runAs", "known are runAsAccount"),
        ({"returnCodes": [{"returnCode": 1, "type": "ok"}]}, "returnCodes[0].type", "found 'ok'"),
        ({"attempts": 0}, "attempts", "greater than or equal to 1, found 0"),
        ({"name": ""}, "name", "at least 1 character"),
        ({"dependencies": "Runtime"}, "dependencies", "found 'Runtime'"),
        ({"dependencies": ["Runtime"]}, "dependencies[0]", "found 'Runtime'"),
        ({"dependencies": [{"app": ""}]}, "dependencies[0].app", "at least 1 character"),
        ({"dependencies": [{"app": "A", "type": "detect"}]}, "dependencies[0].type", "known are app, dependencyType"),
        ({"dependencies": [{"app": "A", "dependencyType": "update"}]}, "dependencies[0].dependencyType", "'update'"),
        ({"dependencies": [{"app": "A"}, {"app": "Editor"}]}, "dependencies[1].app", "cannot name itself"),
        ({"dependencies": [{"app": "A"}, {"app": "B"}, {"app": "A"}]}, "dependencies[2].app", "named twice"),
        ({"supersedence": [{"app": "A"}]}, "supersedence[0].supersedenceType", "is missing"),
        ({"supersedence": [{"app": "A", "supersedenceType": "detect"}]}, "supersedence[0].supersedenceType", "detect"),
        ({"supersedence": [{"app": "Editor", "supersedenceType": "update"}]}, "supersedence[0].app", "itself"),
        ({"supersedence": [{"app": "A", "supersedenceType": "update"}] * 2}, "supersedence[1].app", "named twice"),
        ({"assignments": [{"intent": "required"}]}, "assignments[0].group", "is missing"),
        ({"assignments": [DESKS | {"intent": "wanted"}]}, "assignments[0].intent", "found 'wanted'"),
        ({"assignments": [DESKS | {"exclude": True}]}, "assignments[0].exclude", "known are mode, filter"),
        ({"assignments": [DESKS, DESKS | {"intent": "uninstall"}]}, "assignments[1].group", "found 'desks'"),
        ({"assignment": [DESKS]}, "assignment", "did you mean `assignments`?"),
        ({"installCommandLine": None}, "installCommandLine", "string"),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, Any], place: str, said: str) -> None:
    error = refused(**changes)
    assert error.place == place
    assert said in error.detail


def test_all_mistakes_are_named_at_once() -> None:
    error = refused(attempts=0, grsInHours=-1, returnCodes=[{"code": 1}])
    said = f"{error.place} {error.detail}"
    assert all(
        place in said for place in ("attempts", "grsInHours", "returnCodes[0].returnCode", "returnCodes[0].code")
    )


def test_every_name_that_does_not_fit_is_named_at_once() -> None:
    error = refused(dependencies=[{"app": "A"}, {"app": "A"}, {"app": "Editor"}], assignments=[DESKS, DESKS])
    assert error.place == "dependencies[1].app"
    assert "dependencies[2].app: an app cannot name itself" in error.detail
    assert "assignments[1].group: is named twice" in error.detail


def test_no_app_is_in_both_lists() -> None:
    superseded = {"app": "Runtime", "supersedenceType": "update"}
    error = refused(dependencies=[{"app": "Runtime"}], supersedence=[superseded])
    assert (error.place, "is a dependency, too" in error.detail) == ("supersedence[0].app", True)


@pytest.mark.parametrize(
    ("name", "limit", "more"), [("dependencies", 100, {}), ("supersedence", 10, {"supersedenceType": "update"})]
)
def test_as_many_relations_as_graph_takes_and_no_more(name: str, limit: int, more: dict[str, str]) -> None:
    entries = [{"app": f"App {number}", **more} for number in range(limit + 1)]
    assert len(getattr(validate_manifest(manifest_data(**{name: entries[:limit]})), name)) == limit
    error = refused(**{name: entries})
    assert (error.place, f"at most {limit} items" in error.detail) == (name, True)


@pytest.mark.parametrize("text", ["- a list", "just words", "", "5"])
def test_a_text_without_fields_is_no_manifest(text: str) -> None:
    with pytest.raises(DocumentError, match="expected fields such as"):
        parse_manifest(text)


def test_a_text_that_is_no_yaml_is_named_with_its_line() -> None:
    with pytest.raises(DocumentError, match="line 2"):
        parse_manifest("name: a\n  b: [")


def test_a_file_is_read_with_and_without_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "editor.yaml"
    path.write_text(yaml.safe_dump(manifest_data()), encoding="utf-8-sig")
    assert read_manifest(path).name == "Editor"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_manifest(tmp_path / "missing.yaml")
    assert caught.value.place == str(tmp_path / "missing.yaml")


def test_a_mistake_in_a_file_names_file_and_field(tmp_path: Path) -> None:
    path = tmp_path / "editor.yaml"
    path.write_text(json.dumps(manifest_data(attempts=0)), encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_manifest(path)
    assert caught.value.place == f"{path}: attempts"


@pytest.mark.parametrize("content", [b"name: \xff\xfe", b"x" * (MAX_MANIFEST_BYTES + 1)])
def test_a_file_that_cannot_be_a_manifest_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "editor.yaml"
    path.write_bytes(content)
    with pytest.raises(DocumentError):
        read_manifest(path)


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["file", "script"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "x"]), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), nested, max_size=6))
def test_whatever_is_given_the_answer_is_a_manifest_or_a_clear_refusal(data: dict[str, Any]) -> None:
    with suppress(DocumentError):
        validate_manifest(manifest_data(**data))


@given(st.text(max_size=60))
def test_whatever_is_written_the_answer_is_a_clear_refusal(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_manifest(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "name: 2024-13-45",
        "1: a",
        "&a [*a]",
        "name: &a [*a]",
        "? [a]\n: b",
        "a: !!python/object:os.system x",
    ],
)
def test_odd_yaml_is_refused_in_words(text: str) -> None:
    with pytest.raises(DocumentError):
        parse_manifest(text)


def test_the_schema_knows_no_other_keys_than_the_reader() -> None:
    schema = manifest_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {
        "name",
        "installCommandLine",
        "uninstallCommandLine",
        "detectionRules",
    }
    for name in ("FileRule", "DependencyEntry", "SupersedenceEntry", "AssignmentEntry"):
        assert schema["$defs"][name]["additionalProperties"] is False
    assert schema["properties"]["dependencies"]["maxItems"] == 100
