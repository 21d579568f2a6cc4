"""The operators' command against the API in process: what it prints, and the status it ends with."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from typer.testing import CliRunner, Result

from contract.exit_statuses import ExitStatus
from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import NextAction, WaitReason
from control.cli.main import app
from tests.control.plane import (
    Plane,
    SignedDevice,
    failed_report_of,
    manifest_data,
    progress_of,
    report_of,
)

Enrolled = Callable[..., SignedDevice]
Outrider = Callable[..., Result]

READING = [["app", "list"], ["group", "list"], ["device", "list"], ["status"]]


@pytest.fixture
def files(plane: Plane, tmp_path: Path) -> Path:
    """A package with its manifest beside it; the package's path."""
    package = Path(shutil.copy(plane.package, tmp_path / "editor.intunewin"))
    package.with_suffix(".yaml").write_text(yaml.safe_dump(manifest_data()), encoding="utf-8")
    return package


def printed(result: Result) -> Any:
    assert result.exit_code == ExitStatus.OK, result.output
    return json.loads(result.stdout)


def test_an_app_goes_from_file_to_group_with_four_commands(
    plane: Plane, outrider: Outrider, files: Path, enrolled: Enrolled
) -> None:
    enrolled()
    assert "Editor revision 1: published." in outrider("app", "publish", str(files)).stdout
    assert outrider("group", "create", "desks").exit_code == 0
    assert "desk-1 is in desks" in outrider("group", "add", "desks", "desk-1").stdout
    said = outrider("assign", "Editor", "--group", "desks").stdout
    assert said == "Editor is required on desks. Watch it: outrider status Editor --watch\n"
    plane.plan()
    (job,) = printed(outrider("status", "--json"))
    assert (job["device"], job["app"], job["intent"], job["state"]) == ("desk-1", "Editor", 3, "planned")


def test_publishing_again_says_that_nothing_changed(outrider: Outrider, files: Path) -> None:
    assert printed(outrider("app", "publish", str(files), "--json"))["created"] is True
    assert "nothing changed" in outrider("app", "publish", str(files)).stdout


RELATIONS = {
    "dependencies": [{"app": "Runtime"}],
    "supersedence": [{"app": "Old\x1b[2J Editor", "supersedenceType": "replace"}],
}


def describe(package: Path, **changes: Any) -> None:
    package.with_suffix(".yaml").write_text(yaml.safe_dump(manifest_data(**changes)), encoding="utf-8")


def test_publishing_assigns_as_the_manifest_says(plane: Plane, outrider: Outrider, files: Path) -> None:
    plane.group("desks")
    describe(files, assignments=[{"group": "desks", "intent": "required"}])
    shown = outrider("app", "publish", str(files))
    assert "Editor is required on desks." in shown.stdout
    assert "Warning" not in shown.stderr
    (assigned,) = printed(outrider("app", "publish", str(files), "--json"))["assignments"]
    assert (assigned["group"], assigned["intent"]) == ("desks", 3)


def test_a_group_that_is_not_there_publishes_nothing(outrider: Outrider, files: Path) -> None:
    describe(files, assignments=[{"group": "shelves", "intent": "required"}])
    result = outrider("app", "publish", str(files))
    assert result.exit_code == ExitStatus.USAGE
    assert "There is no such group." in result.stderr
    assert "shelves" in result.stderr
    assert printed(outrider("app", "list", "--json")) == []


def test_relations_are_shown(outrider: Outrider, plane: Plane, files: Path) -> None:
    for name in ("Runtime", RELATIONS["supersedence"][0]["app"]):
        plane.publish(name=name)
    describe(files, **RELATIONS)
    assert outrider("app", "publish", str(files)).exit_code == ExitStatus.OK
    shown = outrider("app", "show", "Editor").stdout
    for words in ("depends on", "Runtime", "autoInstall", "supersedes", "replace"):
        assert words in shown
    assert "\x1b" not in shown
    manifest = printed(outrider("app", "show", "Editor", "--json"))["manifest"]
    assert manifest["dependencies"] == [{"app": "Runtime", "dependencyType": "autoInstall"}]
    assert manifest["supersedence"] == RELATIONS["supersedence"]


def test_an_app_that_names_no_other_is_shown_without_relations(outrider: Outrider, files: Path) -> None:
    assert outrider("app", "publish", str(files)).exit_code == ExitStatus.OK
    assert "relation" not in outrider("app", "show", "Editor").stdout


def test_a_bad_manifest_is_refused_before_anything_is_uploaded(plane: Plane, outrider: Outrider, files: Path) -> None:
    manifest = files.with_suffix(".yaml")
    manifest.write_text(yaml.safe_dump(manifest_data(detectionRules=[{"type": "file"}])), encoding="utf-8")
    result = outrider("app", "publish", str(files))
    assert result.exit_code == ExitStatus.USAGE
    assert f"{manifest}: detectionRules[0].path" in result.stderr
    assert "Hint:" in result.stderr
    assert list(plane.store.keys()) == []


@pytest.mark.parametrize("missing", [".yaml", ".intunewin"])
def test_a_file_that_is_not_there_is_named(outrider: Outrider, files: Path, missing: str) -> None:
    files.with_suffix(missing).unlink()
    result = outrider("app", "publish", str(files))
    assert result.exit_code == ExitStatus.USAGE
    assert str(files.with_suffix(missing)) in result.stderr


def test_a_file_that_is_no_package_is_refused(outrider: Outrider, files: Path) -> None:
    files.write_bytes(b"just bytes")
    result = outrider("app", "publish", str(files))
    assert result.exit_code == ExitStatus.USAGE
    assert "not an .intunewin package" in result.stderr


def test_status_shows_progress_and_then_what_is_next(
    plane: Plane, outrider: Outrider, sent: tuple[SignedDevice, JobRef]
) -> None:
    device, ref = sent
    device.progress(progress_of(ref, Phase.DOWNLOAD, bytes_done=500_000, bytes_total=2_000_000))
    shown = outrider("status").stdout
    assert all(word in shown for word in ("desk-1", "Editor r1", "download", "25% of 2.0 MB", "running"))
    at = plane.clock.now() + timedelta(hours=24)
    action = NextAction(since=plane.clock.now(), at=at, reason=WaitReason.GRS, generation=2, attempt=1)
    device.report(failed_report_of(ref, device.device_id, next_action=action))
    shown = outrider("status", "--device", "desk-1").stdout
    assert all(word in shown for word in ("waiting", "failed", " 7 ", f"{at:%Y-%m-%d %H:%M}", "after the GRS wait"))
    assert "raw exit code" in shown, "the hint of the error table"


def test_watching_ends_when_nothing_is_under_way(outrider: Outrider, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.report(report_of(ref, device.device_id))
    shown = outrider("status", "--watch").stdout
    assert "installed" in shown
    assert shown.endswith("\n"), "whatever is printed next begins a line of its own"
    (job,) = printed(outrider("status", "--watch", "--json"))
    assert job["outcome"] == "installed"


def test_a_devices_page_shows_phases_with_their_times(outrider: Outrider, sent: tuple[SignedDevice, JobRef]) -> None:
    device, ref = sent
    device.report(failed_report_of(ref, device.device_id, next_action=None))
    shown = outrider("device", "show", "desk-1").stdout
    for words in ("groups: desks", "error installer-failed (0x80070007), exit code 7", "install", "2.0 s", "hint: "):
        assert words in shown
    assert printed(outrider("device", "show", "desk-1", "--json"))["jobs"][0]["phases"][0]["phase"] == "install"


def test_an_apps_page_shows_revisions_and_assignments(outrider: Outrider, sent: tuple[SignedDevice, JobRef]) -> None:
    shown = outrider("app", "show", "Editor").stdout
    assert all(word in shown for word in ("sh install.sh", "desks", "required", "1.0"))


def test_an_app_that_is_assigned_nowhere_says_how_to(plane: Plane, outrider: Outrider) -> None:
    plane.publish()
    assert "outrider assign 'Editor' --group GROUP" in outrider("app", "show", "Editor").stdout


def test_a_group_is_shown_and_left(plane: Plane, outrider: Outrider, enrolled: Enrolled) -> None:
    enrolled(group_id=plane.group("desks"))
    assert "desk-1" in outrider("group", "show", "desks").stdout
    assert outrider("group", "remove", "desks", "desk-1").exit_code == 0
    assert printed(outrider("group", "show", "desks", "--json"))["devices"] == []


def test_a_token_enrols_a_device(outrider: Outrider, client: httpx.Client) -> None:
    result = outrider("enrollment", "create", "--uses", "2", "--expires-in", "30m")
    assert SignedDevice(client).enroll(result.stdout.strip()).status_code == 200
    assert "outrider-agent enroll" in result.stderr
    assert printed(outrider("enrollment", "create", "--json"))["uses"] == 1


@pytest.mark.parametrize("duration", ["1", "h", "1y", "0h", "-1h", "1e400d", "nan h"])
def test_a_duration_that_is_none_is_refused(outrider: Outrider, duration: str) -> None:
    assert outrider("enrollment", "create", f"--expires-in={duration}").exit_code == ExitStatus.USAGE


@pytest.mark.parametrize("arguments", READING)
def test_an_empty_control_plane_is_shown_as_such(outrider: Outrider, arguments: list[str]) -> None:
    assert outrider(*arguments).exit_code == 0
    assert printed(outrider(*arguments, "--json")) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["app", "show", "Nothing"], "There is no such app."),
        (["group", "show", "shelves"], "There is no such group."),
        (["device", "show", "nobody"], "There is no such device."),
        (["status", "--group", "shelves"], "There is no such group."),
        (["assign", "Nothing", "--group", "shelves"], "There is no such app."),
        (["group", "add", "shelves", "nobody"], "There is no such group."),
        (["enrollment", "create", "--group", "shelves"], "There is no such group."),
    ],
)
def test_a_name_that_stands_for_nothing_is_said(outrider: Outrider, arguments: list[str], said: str) -> None:
    result = outrider(*arguments)
    assert result.exit_code == ExitStatus.USAGE
    assert said in result.stderr
    assert "Hint:" in result.stderr
    assert result.stdout == ""


def test_errors_are_json_where_json_is_asked_for(outrider: Outrider) -> None:
    result = outrider("app", "show", "Nothing", "--json")
    assert json.loads(result.stderr)["error"]["code"] == "unknown-app"


def test_without_an_address_it_says_what_to_set(outrider: Outrider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTRIDER_URL")
    result = outrider("app", "list")
    assert result.exit_code == ExitStatus.USAGE
    assert "OUTRIDER_URL" in result.stderr


def test_a_refused_token_has_a_status_of_its_own(outrider: Outrider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_TOKEN", "guessed")
    assert outrider("app", "list").exit_code == ExitStatus.REFUSED


def test_a_control_plane_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("OUTRIDER_TOKEN", "any")
    result = CliRunner().invoke(app, ["app", "list"])
    assert result.exit_code == ExitStatus.UNAVAILABLE
    assert "http://127.0.0.1:1" in result.stderr


def test_names_with_odd_characters_survive_the_way(plane: Plane, outrider: Outrider, enrolled: Enrolled) -> None:
    plane.publish(name="Éditeur / 100% [bold]")
    enrolled("a/b c?d#e")
    assert printed(outrider("app", "show", "Éditeur / 100% [bold]", "--json"))["name"] == "Éditeur / 100% [bold]"
    assert "Éditeur / 100% [bold]" in outrider("app", "list").stdout
    outrider("group", "create", "ünï cödé")
    assert "a/b c?d#e is in" in outrider("group", "add", "ünï cödé", "a/b c?d#e").stdout


@pytest.mark.parametrize(
    "arguments",
    [["app", "publish"], ["app", "show"], ["assign"], ["enrollment", "create"], ["device", "show"], ["status"]],
)
def test_help_has_an_example_and_the_exit_statuses(outrider: Outrider, arguments: list[str]) -> None:
    shown = outrider(*arguments, "--help").stdout
    assert "Example: outrider" in shown
    assert "Exit status: 0 done" in shown


def test_the_schema_is_printed_without_a_control_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTRIDER_URL", raising=False)
    schema = json.loads(CliRunner().invoke(app, ["app", "schema"]).stdout)
    assert "detectionRules" in schema["properties"]
