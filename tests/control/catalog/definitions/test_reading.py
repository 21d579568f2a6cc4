"""Definitions as they occur in the wild: both rule forms, strings for booleans, capitals, marks, spoiled exports."""

import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, InputError
from control.catalog.definitions.reader import parse_definition, read_definition
from control.catalog.definitions.to_graph import GraphVersion, to_graph
from control.catalog.definitions.to_manifest import to_manifest

FILE_RULE = {
    "@odata.type": "#microsoft.graph.win32LobAppFileSystemRule",
    "ruleType": "detection",
    "path": "C:\\App",
    "fileOrFolderName": "app.exe",
    "check32BitOn64System": False,
    "operationType": "version",
    "operator": "greaterThanOrEqual",
    "comparisonValue": "1.2",
}
OLD_FILE_RULE = {
    "@odata.type": "#microsoft.graph.win32LobAppFileSystemDetection",
    "path": "C:\\App",
    "fileOrFolderName": "app.exe",
    "check32BitOn64System": "false",
    "detectionType": "Version",
    "operator": "greaterThanOrEqual",
    "detectionValue": "1.2",
}
APP: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.win32LobApp",
    "displayName": "Editor",
    "installCommandLine": "setup.exe /S",
    "uninstallCommandLine": "setup.exe /U",
    "rules": [FILE_RULE],
}


def read(document: Any) -> dict[str, Any]:
    bundle = parse_definition(json.dumps(document), place="app.json")
    assert bundle.app is not None
    return bundle.app


def refused(text: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        parse_definition(text, place="app.json")
    assert caught.value.code is ErrorCode.DEFINITION_INVALID
    return caught.value


def test_the_same_rule_in_both_forms_is_one_rule() -> None:
    assert read(APP | {"detectionRules": [OLD_FILE_RULE]})["rules"] == [FILE_RULE]


def test_old_rules_alone_become_new_ones() -> None:
    without = {key: value for key, value in APP.items() if key != "rules"}
    assert read(without | {"detectionRules": [OLD_FILE_RULE]})["rules"] == [FILE_RULE]


def test_rules_that_differ_between_the_forms_are_all_kept_and_noted() -> None:
    bundle = parse_definition(
        json.dumps(APP | {"detectionRules": [OLD_FILE_RULE | {"detectionValue": "9"}]}), place="app.json"
    )
    assert bundle.app is not None
    assert [rule["comparisonValue"] for rule in bundle.app["rules"]] == ["1.2", "9"]
    assert "no counterpart" in bundle.notes[0]


def test_words_and_numbers_are_brought_into_graphs_spelling() -> None:
    app = read(
        APP
        | {
            "isFeatured": "True",
            "minimumMemoryInMB": "512",
            "applicableArchitectures": "x86, X64",
            "installExperience": {"runAsAccount": "System"},
            "returnCodes": [{"returnCode": "3010", "type": "SoftReboot"}],
        }
    )
    assert (app["isFeatured"], app["minimumMemoryInMB"], app["applicableArchitectures"]) == (True, 512, "x86,x64")
    assert app["installExperience"]["runAsAccount"] == "system"
    assert app["returnCodes"] == [{"returnCode": 3010, "type": "softReboot"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_every_editor_are_read(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "app.json"
    file.write_text(json.dumps(APP | {"description": "grün"}, ensure_ascii=False), encoding=encoding)
    assert (read_definition(file).app or {})["description"] == "grün"


def test_unknown_fields_come_back(there_and_back: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "app.json"
    rule = FILE_RULE | {"ofTomorrow": 1}
    file.write_text(json.dumps(APP | {"fieldOfTomorrow": {"deep": [1, None]}, "rules": [rule]}))
    app = there_and_back(file)
    assert app["fieldOfTomorrow"] == {"deep": [1, None]}
    assert app["rules"] == [rule]


def test_a_rule_no_manifest_has_words_for_is_kept_and_noted(there_and_back: Callable[..., Any], tmp_path: Path) -> None:
    process = {
        "@odata.type": "#microsoft.graph.win32LobAppProcessRule",
        "ruleType": "requirement",
        "processName": "editor",
    }
    file = tmp_path / "app.json"
    file.write_text(json.dumps(APP | {"rules": [FILE_RULE, process]}))
    assert there_and_back(file)["rules"] == [FILE_RULE, process]
    assert "not evaluated" in to_manifest(read_definition(file)).notes[0]


def test_scripts_are_readable_in_the_manifest_and_base64_again_in_graph(
    there_and_back: Callable[..., Any], tmp_path: Path
) -> None:
    script = "if (Test-Path C:\\App) {\n    'found'\n}\n"
    rule = {
        "@odata.type": "#microsoft.graph.win32LobAppPowerShellScriptRule",
        "ruleType": "requirement",
        "displayName": "check.ps1",
        "runAsAccount": "user",
        "scriptContent": base64.b64encode(script.encode()).decode(),
        "operationType": "string",
        "operator": "equal",
        "comparisonValue": "found",
    }
    file = tmp_path / "app.json"
    file.write_text(json.dumps(APP | {"rules": [FILE_RULE, rule]}))
    app = there_and_back(file)
    assert app["rules"][1] == rule
    assert app["requirementRules"][0]["detectionValue"] == "found"
    assert script.splitlines()[0] in (tmp_path / "app.yaml").read_text()


def test_the_script_of_a_packagefactory_file_is_read_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "detect.ps1").write_text("exit 0")
    document = {
        "PackageInformation": {"SetupType": "MSI", "SetupFile": "a.msi"},
        "Information": {"DisplayName": "A"},
        "Program": {},
        "DetectionRule": [{"Type": "Script", "ScriptFile": "detect.ps1", "RunAs32Bit": "true"}],
    }
    bundle = parse_definition(json.dumps(document), place="App.json", folder=tmp_path)
    assert bundle.app is not None
    assert bundle.app["installCommandLine"] == 'msiexec /i "a.msi" /q'
    assert bundle.app["rules"][0]["runAs32Bit"] is True
    assert to_manifest(bundle).fields["detectionRules"][0]["scriptContent"] == "exit 0"


def test_a_requirement_script_of_a_packagefactory_file_is_judged_by_its_method(tmp_path: Path) -> None:
    (tmp_path / "Scripts").mkdir()
    (tmp_path / "Scripts" / "needed.ps1").write_text("'yes'")
    rule = {
        "Type": "Script",
        "DetectionMethod": "StringOutput",
        "ScriptFile": "needed.ps1",
        "ScriptContext": "user",
        "Operator": "equal",
        "Value": "yes",
        "RunAs32BitOn64System": "true",
    }
    document = {"PackageInformation": {}, "Information": {}, "Program": {}, "CustomRequirementRule": [rule]}
    bundle = parse_definition(json.dumps(document), place="App.json", folder=tmp_path)
    assert bundle.app is not None
    found = bundle.app["rules"][0]
    assert (found["operationType"], found["operator"], found["comparisonValue"]) == ("string", "equal", "yes")
    assert (found["runAsAccount"], found["runAs32Bit"]) == ("user", True)
    assert base64.b64decode(found["scriptContent"]) == b"'yes'"


@pytest.mark.parametrize("name", ["../secret.ps1", "/etc/passwd", ""])
def test_a_script_outside_the_folder_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.ps1").write_text("secret")
    (tmp_path / "app").mkdir()
    document = {
        "PackageInformation": {},
        "Information": {},
        "Program": {},
        "DetectionRule": [{"Type": "Script", "ScriptFile": name}],
    }
    bundle = parse_definition(json.dumps(document), place="App.json", folder=tmp_path / "app")
    assert bundle.app is not None
    assert bundle.app["rules"][0]["scriptContent"] == ""
    assert "does not lie beside" in bundle.notes[0]


@pytest.mark.parametrize(
    "spoiled",
    [
        "@{@odata.type=#microsoft.graph.win32LobAppFileSystemRule; path=C:\\App}",
        "System.Collections.Hashtable",
        "System.Object[]",
    ],
)
def test_an_export_cut_short_by_powershell_says_so(spoiled: str) -> None:
    error = refused(json.dumps(APP | {"rules": [spoiled]}))
    assert "-Depth" in error.detail
    assert error.place == "app.json: rules[0]"


@pytest.mark.parametrize(
    ("document", "place", "detail"),
    [
        ({"@odata.type": "#microsoft.graph.windowsMobileMSI"}, "app.json", "windowsMobileMSI"),
        (APP | {"isFeatured": "maybe"}, "app.json: isFeatured", "true or false"),
        (APP | {"returnCodes": [{"returnCode": "x"}]}, "app.json: returnCodes[0].returnCode", "whole number"),
        (APP | {"rules": "all"}, "app.json: rules", "a list of rules"),
        (APP | {"rules": [{"path": "x"}]}, "app.json: rules[0]", "@odata.type"),
        ([1], "app.json: [0]", "an object"),
        ("text", "app.json", "found str"),
        ({"value": [APP, APP]}, "app.json: value", "several apps"),
    ],
)
def test_what_is_no_definition_is_refused_with_its_place(document: Any, place: str, detail: str) -> None:
    error = refused(json.dumps(document))
    assert (error.place, detail in error.detail) == (place, True), error


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_definition(tmp_path / "none.json")
    assert caught.value.code is ErrorCode.DEFINITION_INVALID


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*APP, "value", "app"]), inner),
    max_leaves=12,
)


SPOILED_APP = st.dictionaries(
    st.sampled_from(
        [*APP, "installExperience", "returnCodes", "detectionRules", "assignments", "allowedArchitectures"]
    ),
    JSON,
).map(lambda some: APP | some)
SPOILED_RULE = st.dictionaries(st.sampled_from([*FILE_RULE, "scriptContent"]), JSON).map(
    lambda some: APP | {"rules": [FILE_RULE | some]}
)
SPOILED_FACTORY: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["Information", "Program", "PackageInformation", "DetectionRule", "Assignments", "Dependencies"]),
    JSON | st.lists(st.fixed_dictionaries({"Type": st.sampled_from(["File", "MSI", "Group"]), "Path": JSON})),
).map(lambda some: {"Information": {}, "Program": {}, "PackageInformation": {}} | some)


@given(document=JSON | SPOILED_APP | SPOILED_RULE | SPOILED_FACTORY)
def test_no_json_document_ends_in_anything_but_a_definition_or_a_refusal(document: Any) -> None:
    with contextlib.suppress(DocumentError):
        draft = to_manifest(parse_definition(json.dumps(document), place="any.json"))
        to_graph(draft.fields, draft.beside)


def test_an_export_for_v1_holds_only_what_v1_knows_and_can_be_posted() -> None:
    bundle = parse_definition(
        json.dumps(APP | {"id": "1", "size": 5, "displayVersion": "2", "roleScopeTagIds": ["0"]}), place="app.json"
    )
    draft = to_manifest(bundle)
    app = to_graph(draft.fields, draft.beside, version=GraphVersion.V1, create=True)
    assert not {"id", "size", "displayVersion", "roleScopeTagIds", "detectionRules"} & app.keys()
    assert app["rules"] == [FILE_RULE]
    assert len(app["returnCodes"]) == 5


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"type": "package", "packageName": "editor"}, "package"),
        ({"type": "process", "processName": "editor"}, "process"),
        ({"type": "script", "scriptContent": "exit 0", "interpreter": ["/bin/sh"]}, "a script for /bin/sh"),
    ],
)
def test_a_rule_that_graph_has_not_is_refused_on_the_way_out_not_dropped(rule: dict[str, Any], said: str) -> None:
    file = {"type": "file", "path": "/opt", "fileOrFolderName": "editor"}
    with pytest.raises(DocumentError) as caught:
        to_graph({"name": "Editor", "detectionRules": [file, rule]}, {})
    assert caught.value.code is ErrorCode.RULE_WITHOUT_COUNTERPART
    assert caught.value.place == "detectionRules[1]"
    assert said in caught.value.detail


def test_a_script_that_names_powershell_goes_out_like_one_that_names_nothing() -> None:
    rule = {"type": "script", "scriptContent": "exit 0"}
    named = rule | {"interpreter": [r"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\PowerShell.exe", "-File"]}
    plain, same = (to_graph({"name": "Editor", "detectionRules": [each]}, {})["rules"] for each in (rule, named))
    assert plain == same
