"""Real definitions go in and come out without losing a field that Graph knows."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.error_codes import ErrorCode
from contract.errors import DocumentError
from control.catalog.definitions.canonical import canonical
from control.catalog.definitions.packagefactory import is_packagefactory
from control.catalog.definitions.reader import read_definition
from control.catalog.definitions.to_manifest import to_manifest
from control.catalog.manifest_reader import validate_manifest

Back = Callable[..., dict[str, Any]]


def document(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8-sig"))


def assert_kept(before: Any, after: Any, place: str) -> None:
    """Everything in `before` is in `after`, which may say more."""
    if isinstance(before, dict):
        assert isinstance(after, dict), place
        for key, value in before.items():
            assert key in after, f"{place}.{key} is lost"
            assert_kept(value, after[key], f"{place}.{key}")
    elif isinstance(before, list):
        assert len(before) == len(after), place
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            assert_kept(one, other, f"{place}[{index}]")
    else:
        assert before == after, place


def test_every_graph_app_comes_back_with_every_field(real_definitions: list[Path], there_and_back: Back) -> None:
    apps = [path for path in real_definitions if "installCommandLine" in (document(path) or {})]
    assert len(apps) >= 5
    for path in apps:
        assert_kept(canonical(document(path)), there_and_back(path), path.name)


def test_an_app_with_its_relations_comes_back_whole(real_definitions: list[Path], there_and_back: Back) -> None:
    path = next(path for path in real_definitions if path.name.startswith("testbase"))
    before, after = canonical(document(path)), there_and_back(path)
    assert_kept(before["app"], after, path.name)
    assert_kept(before["relationships"], after["relationships"], path.name)
    fields = to_manifest(read_definition(path)).fields
    assert fields["dependencies"] == [{"app": "Demo Intune App", "dependencyType": "autoInstall"}]


def test_groups_known_only_by_an_id_get_no_invented_name(real_definitions: list[Path]) -> None:
    for path in real_definitions:
        assert "assignments" not in to_manifest(read_definition(path)).fields, path.name


def test_lists_of_relations_come_back_whole(real_definitions: list[Path], there_and_back: Back) -> None:
    for path in real_definitions:
        if path.name.startswith("assignment"):
            stated = document(path)
            before = canonical(stated["mobileAppAssignments"] if isinstance(stated, dict) else stated)
            assert_kept(before, there_and_back(path)["assignments"], path.name)
        if path.name == "category.json":
            assert_kept([canonical(document(path))], there_and_back(path)["categories"], path.name)


def test_every_packagefactory_file_becomes_an_app_with_its_rules(
    real_definitions: list[Path], there_and_back: Back
) -> None:
    files = [path for path in real_definitions if is_packagefactory(document(path))]
    assert len(files) >= 8
    for path in files:
        stated, app = document(path), there_and_back(path)
        assert app["displayName"] == stated["Information"]["DisplayName"]
        assert app["informationUrl"] == stated["Information"]["InformationURL"]
        assert app["installCommandLine"] == stated["Program"]["InstallCommand"]
        assert app["uninstallCommandLine"] == stated["Program"]["UninstallCommand"]
        assert app["setupFilePath"] == stated["PackageInformation"]["SetupFile"]
        assert len(app["rules"]) == len(stated["DetectionRule"]) + len(stated["CustomRequirementRule"])
        assert len(app.get("assignments", [])) == len(stated["Assignments"])


def test_a_complete_real_app_is_a_valid_manifest(real_definitions: list[Path]) -> None:
    complete = [path for path in real_definitions if path.name in {"config.json", "GoogleChrome.App.json"}]
    assert complete
    for path in complete:
        draft = to_manifest(read_definition(path))
        assert draft.notes == ()
        assert validate_manifest(draft.fields).name == draft.fields["name"]


def test_a_folder_of_files_is_one_app(real_definitions: list[Path], there_and_back: Back) -> None:
    folder = next(path for path in real_definitions if path.name == "dependencies.json").parent
    app = there_and_back(folder)
    assert app["displayName"] == "WIN Scribus"
    assert to_manifest(read_definition(folder)).fields["dependencies"] == [
        {"app": "Ghostscript", "dependencyType": "autoInstall"}
    ]
    assert app["assignments"][0]["intent"] == "available"
    assert app["relationships"][0]["targetDisplayName"] == "Ghostscript"
    assert app["categories"][0]["displayName"] == "Photos & Media"


def test_a_file_that_is_no_json_is_refused_with_line_and_column(real_definitions: list[Path]) -> None:
    template = next(path for path in real_definitions if "packagefactory" in path.parts).with_name("template.App.json")
    with pytest.raises(DocumentError) as caught:
        read_definition(template)
    assert caught.value.code is ErrorCode.DEFINITION_INVALID
    assert caught.value.place == f"{template}: line 32, column 42"
