"""`outrider-agent check` on files as people and the control plane write them, on a device that is not enrolled."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from contract.envelopes import sign
from contract.exit_statuses import ExitStatus
from contract.states import Intent
from tests.worker.rig import Rig
from worker.cli.commands import app

Check = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def check(tmp_path: Path, state: Path) -> Check:
    """Check a document: fields are written as YAML, text as it is."""

    def call(document: dict[str, Any] | str, *options: str) -> Result:
        file = tmp_path / "policy"
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        file.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, ["check", str(file), *options, "--state-dir", str(state)])

    return call


def _file(folder: Path, name: str) -> dict[str, str]:
    return {"type": "file", "path": str(folder), "fileOrFolderName": name}


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "editor").touch()
    return {"name": "Editor", "detectionRules": [_file(tmp_path, "editor")], "installCommandLine": "sh install.sh"}


def test_what_is_there_is_detected_without_enrolment_and_without_a_trace(
    check: Check, manifest: dict[str, Any], state: Path, tmp_path: Path
) -> None:
    result = check(manifest)
    assert result.exit_code == ExitStatus.OK
    assert "Detected" in result.stdout
    assert not state.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["editor", "policy"]


def test_the_table_holds_what_was_compared_with_what_however_long(
    check: Check, manifest: dict[str, Any], tmp_path: Path
) -> None:
    name = "x" * 150
    result = check(manifest | {"detectionRules": [_file(tmp_path, name)]})
    assert result.exit_code == ExitStatus.NOT_DETECTED
    assert result.stdout.count("x") >= 150
    assert "does not" in result.stdout


@pytest.mark.parametrize(
    ("more", "status", "conclusion"),
    [
        ({"requirementRules": [{"type": "process", "processName": "no-such"}]}, 11, "not-applicable"),
        ({"operatingSystems": ["windows", "macos"]}, 11, "not-applicable"),
        ({"applicableArchitectures": ["arm"]}, 11, "not-applicable"),
        ({"minimumMemoryInMB": 10**9}, 11, "not-applicable"),
        ({"minimum_memory_in_mb": 10**9}, 11, "not-applicable"),
        ({"minimumOsRelease": "bookworm"}, 1, "failed"),
        ({"requirementRules": [{"type": "script", "scriptContent": "true"}]}, 10, "not-detected"),
    ],
)
def test_a_manifests_requirements_count(
    check: Check, tmp_path: Path, more: dict[str, Any], status: int, conclusion: str
) -> None:
    result = check({"detectionRules": [_file(tmp_path, "missing")]} | more, "--json")
    assert result.exit_code == status
    assert json.loads(result.stdout)["conclusion"] == conclusion


def test_scripts_run_unless_they_are_not_to(check: Check, tmp_path: Path) -> None:
    document = {"detectionRules": [{"type": "script", "scriptContent": f"echo found; touch {tmp_path / 'ran'}"}]}
    skipped = check(document, "--no-scripts", "--json")
    assert skipped.exit_code == ExitStatus.UNDECIDED
    assert not (tmp_path / "ran").exists()
    assert check(document).exit_code == ExitStatus.OK
    assert (tmp_path / "ran").exists()


def test_a_policy_is_read_plain_and_signed_as_devices_get_it(check: Check, rig: Rig) -> None:
    policy = rig.policy(intent=Intent.REQUIRED)
    envelope = sign(policy, Ed25519PrivateKey.generate())
    (rig.target / "editor").touch()
    for text in (policy.to_json(), envelope.to_json()):
        result = check(text, "--json")
        facts = json.loads(result.stdout)
        assert result.exit_code == ExitStatus.OK
        assert facts["app_name"] == policy.app_name
        assert facts["detection"][0]["found"] == "there"


def test_json_holds_every_rule_with_its_values_its_number_and_its_error(check: Check, tmp_path: Path) -> None:
    broken = _file(tmp_path, "x") | {"operationType": "sizeInMB", "operator": "equal", "comparisonValue": "five"}
    document = {"detectionRules": [_file(tmp_path, "missing"), broken], "minimumMemoryInMB": 10**9}
    facts = json.loads(check(document, "--json").stdout)
    first, second = facts["detection"]
    assert (first["answer"], first["found"], first["expected"]) == ("does-not-hold", "not there", "there")
    assert second["answer"] == "failed"
    assert second["error"]["code"] == "detection-rule-invalid"
    assert [(one["answer"], one["applicability"]) for one in facts["requirements"]] == [("does-not-hold", 1003)]


def test_a_rule_that_fails_is_shown_with_its_hint(check: Check, tmp_path: Path) -> None:
    rule = {"type": "script", "scriptContent": "sleep 60", "timeLimitSeconds": 0.1}
    result = check({"detectionRules": [_file(tmp_path, "missing"), rule]})
    assert result.exit_code == ExitStatus.FAILED
    assert "detection rule 2 (script): script: it ran longer than 0.1 s and was ended." in result.stdout
    assert "Hint: " in result.stdout


def test_names_in_a_file_do_not_steer_the_terminal(check: Check, manifest: dict[str, Any]) -> None:
    result = check(manifest | {"name": "Editor\x1b[2J"})
    assert "\x1b" not in result.stdout
    assert "[2J" in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("just text", "expected a policy with detection rules, found str"),
        ("{", "neither JSON nor YAML"),
        ("[1, 2]", "found list"),
        ("1: 2", "found dict"),
        ("name: x", "detection_rules: Field required"),
        ("detectionRules: []", "detection_rules"),
        ("detectionRules: [{type: files}]", "detection_rules.0"),
        ("detectionRules: [{type: file, path: /}]", "detection_rules.0.file.fileOrFolderName"),
        ("payload: x\nsignatures: []", "looks like a signed policy, but is none"),
        ("a: " + "x" * (1 << 20), "larger than"),
    ],
    ids=range(10),
)
def test_what_is_no_policy_is_refused_with_its_place(check: Check, text: str, said: str, tmp_path: Path) -> None:
    result = check(text)
    assert result.exit_code == ExitStatus.USAGE
    assert result.stderr.startswith("Error: ")
    assert str(tmp_path / "policy") in result.stderr
    assert said in result.stderr


def test_a_file_that_cannot_be_read_is_named(state: Path) -> None:
    result = CliRunner().invoke(app, ["check", "/no/such/policy", "--state-dir", str(state)])
    assert result.exit_code == ExitStatus.USAGE
    assert "/no/such/policy" in result.stderr


def test_help_has_examples_and_every_exit_status() -> None:
    shown = CliRunner().invoke(app, ["check", "--help"]).stdout
    assert "Examples:" in shown
    for status in (ExitStatus.OK, ExitStatus.FAILED, ExitStatus.USAGE, 10, 11, 12):
        assert f"{int(status)} " in shown
