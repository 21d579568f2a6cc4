"""`outrider app import` and `outrider app export` as their users type them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner, Result

from control.catalog.manifest_reader import read_manifest
from control.cli.definitions import definitions_app
from control.client.control_client import ControlClient
from control.database.tables import Role
from tests.control.plane import Plane, manifest_data

Run = Callable[..., Result]
RULE = {
    "@odata.type": "#microsoft.graph.win32LobAppProductCodeRule",
    "ruleType": "detection",
    "productCode": "{A}",
    "productVersionOperator": "notConfigured",
}
APP = {
    "@odata.type": "#microsoft.graph.win32LobApp",
    "displayName": "Editor",
    "installCommandLine": "i",
    "uninstallCommandLine": "u",
    "largeIcon": {"type": "image/png", "value": "AA=="},
    "rules": [RULE],
}


@pytest.fixture
def run() -> Run:
    return lambda *arguments: CliRunner().invoke(definitions_app, [str(argument) for argument in arguments])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "app.json"
    path.write_text(json.dumps(APP))
    return path


def test_an_import_writes_a_valid_manifest_and_keeps_the_rest_beside_it(run: Run, source: Path, tmp_path: Path) -> None:
    result = run("import", source, "-o", tmp_path / "editor.yaml")
    assert result.exit_code == 0, result.output
    assert read_manifest(tmp_path / "editor.yaml").name == "Editor"
    assert json.loads((tmp_path / "editor.graph.json").read_text())["app"]["largeIcon"]["value"] == "AA=="


def test_an_import_replaces_nothing_unless_told(run: Run, source: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "editor.yaml"
    manifest.write_text("mine")
    assert run("import", source, "-o", manifest).exit_code == 2
    assert manifest.read_text() == "mine"
    assert run("import", source, "-o", manifest, "--force").exit_code == 0


def test_what_is_changed_in_the_manifest_comes_out(run: Run, source: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "editor.yaml"
    run("import", source, "-o", manifest)
    manifest.write_text(manifest.read_text().replace("installCommandLine: i", "installCommandLine: setup /S"))
    exported = json.loads(run("export", manifest).stdout)
    assert exported["installCommandLine"] == "setup /S"
    assert exported["largeIcon"] == APP["largeIcon"]


def test_a_manifest_written_by_hand_is_exported_too(run: Run, tmp_path: Path) -> None:
    manifest = tmp_path / "mine.yaml"
    rule = {"type": "file", "path": "C:\\A", "file_or_folder_name": "a.exe"}
    fields = {"name": "A", "installCommandLine": "i", "uninstallCommandLine": "u", "detectionRules": [rule]}
    manifest.write_text(yaml.safe_dump(fields))
    result = run("export", manifest, "--api", "v1.0", "--create", "-o", tmp_path / "a.json")
    assert result.exit_code == 0, result.output
    exported = json.loads((tmp_path / "a.json").read_text())
    assert exported["rules"][0]["fileOrFolderName"] == "a.exe"
    assert exported["returnCodes"][0]["type"] == "success"


@pytest.mark.parametrize("text", ["[1]", "name: [", "name: A\ndetectionRules: 5"])
def test_a_broken_manifest_is_refused_with_its_place(run: Run, tmp_path: Path, text: str) -> None:
    manifest = tmp_path / "broken.yaml"
    manifest.write_text(text)
    result = run("export", manifest)
    assert result.exit_code == 2
    assert "broken.yaml" in result.stderr


def test_notes_tell_what_is_to_be_completed(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "app.json"
    source.write_text(json.dumps(APP | {"displayName": ""}))
    result = run("import", source, "-o", tmp_path / "a.yaml", "--json")
    assert "name: is missing" in json.loads(result.stdout)["notes"][0]


def test_a_missing_file_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("export", tmp_path / "none.yaml").exit_code == 2
    assert run("import", tmp_path / "none.json").exit_code == 2


def test_other_apps_and_groups_come_into_the_manifest_by_name_and_out_again(run: Run, tmp_path: Path) -> None:
    source, manifest = tmp_path / "app.json", tmp_path / "editor.yaml"
    dependency = {
        "@odata.type": "#microsoft.graph.mobileAppDependency",
        "targetId": "42",
        "targetDisplayName": "Runtime",
        "dependencyType": "detect",
    }
    source.write_text(json.dumps(APP | {"relationships": [dependency]}))
    assert run("import", source, "-o", manifest).exit_code == 0
    assert [(one.app, one.dependency_type) for one in read_manifest(manifest).dependencies] == [("Runtime", "detect")]
    assert json.loads(run("export", manifest).stdout)["relationships"] == [dependency]
    manifest.write_text(manifest.read_text().replace("dependencyType: detect", "dependencyType: autoInstall"))
    assert json.loads(run("export", manifest).stdout)["relationships"] == [
        dependency | {"dependencyType": "autoInstall"}
    ]


def test_an_import_says_what_publishing_will_assign(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "app.json"
    target = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "7", "groupDisplayName": "desks"}
    source.write_text(json.dumps(APP | {"assignments": [{"intent": "Required", "target": target}]}))
    assert "Publishing assigns it: required on desks." in run("import", source, "-o", tmp_path / "a.yaml").stderr


def test_a_published_app_is_exported_by_its_name(
    run: Run,
    plane: Plane,
    client: httpx.Client,
    operator: Callable[[Role], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    plane.publish(name="Runtime")
    plane.publish(dependencies=[{"app": "Runtime"}])
    plane.group("desks")
    plane.assign("desks")
    token = operator(Role.VIEWER)["Authorization"].removeprefix("Bearer ")
    monkeypatch.setenv("OUTRIDER_URL", "https://control.example")
    monkeypatch.setenv("OUTRIDER_TOKEN", token)
    monkeypatch.setattr("control.cli.connection.ControlClient", partial(ControlClient, transport=client._transport))
    stated = manifest_data()
    monkeypatch.chdir(tmp_path)
    (tmp_path / stated["name"]).mkdir()  # its source, say: a folder is no manifest
    result = run("export", stated["name"])
    assert result.exit_code == 0, result.output
    exported = json.loads(result.stdout)
    assert exported["displayName"] == stated["name"]
    assert exported["rules"][0]["@odata.type"].startswith("#microsoft.graph.win32LobApp")
    assert all(value is not None for rule in exported["rules"] for value in rule.values())
    assert exported["relationships"][0]["targetDisplayName"] == "Runtime"
    assert exported["assignments"][0]["intent"] == "required"
    assert exported["assignments"][0]["target"]["groupDisplayName"] == "desks"
    assert "relationships" not in json.loads(run("export", stated["name"], "--api", "v1.0").stdout)
    assert run("export", "No such app").exit_code == 2
