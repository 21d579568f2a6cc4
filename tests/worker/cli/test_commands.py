"""The commands as people and scripts use them."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from contract.exit_statuses import ExitStatus
from contract.phases import Phase
from contract.uplink import CheckIn, CheckInReason, CheckInReply, EnrollmentReply
from tests.support.trust import Roots
from tests.worker.rig import START, Rig
from tests.worker.uplink.server import Answer, Server, serving
from worker.cli.commands import app
from worker.identity import load_identity, save_identity
from worker.lock import only_agent

Invoke = Callable[..., Result]

REPLY = EnrollmentReply(
    device_id=str(uuid4()),
    broker_url="redis://127.0.0.1:1/0",
    broker_user="device.x",
    broker_secret="broker-secret",
    trusted_keys=Roots().signed(1, {}),
)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "device" / "state"


@pytest.fixture
def invoke(state: Path) -> Invoke:
    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--state-dir", str(state)])

    return call


@pytest.fixture
def device(rig: Rig) -> tuple[Rig, Invoke]:
    """A device that is enrolled, and its commands."""
    save_identity(rig.identity, rig.device.folders.identity)

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--state-dir", str(rig.device.folders.state)])

    return rig, call


def _is_clear(result: Result, status: ExitStatus) -> None:
    assert result.exit_code == status
    assert result.stderr.startswith("Error: ")
    assert "Hint: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", ["enroll", "run", "sync", "status", "apps", "install", "uninstall"])
def test_each_help_has_an_example_and_the_exit_statuses(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert "Exit status: 0" in result.stdout
    assert "--state-dir" in result.stdout


@pytest.mark.parametrize("command", [("run",), ("sync",), ("status",), ("apps",), ("install", "x"), ("uninstall", "x")])
def test_a_device_that_is_not_enrolled_is_told_how(command: tuple[str, ...], invoke: Invoke) -> None:
    result = invoke(*command)
    _is_clear(result, ExitStatus.USAGE)
    assert "outrider-agent enroll" in result.stderr


@pytest.mark.parametrize("command", [("enroll", "https://control.example", "token"), ("run",)])
def test_a_state_folder_that_cannot_be_is_named(command: tuple[str, ...], invoke: Invoke, state: Path) -> None:
    state.parent.write_text("a file where a folder has to be")
    result = invoke(*command)
    _is_clear(result, ExitStatus.USAGE)
    assert str(state) in result.stderr
    assert "OUTRIDER_AGENT_STATE_DIR" in result.stderr


@pytest.mark.integration
def test_enrolling_makes_an_identity(server: Server, invoke: Invoke, state: Path) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    result = invoke("enroll", server.url, "token", "--name", "desk-7", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"device_id": REPLY.device_id, "name": "desk-7"}
    assert load_identity(state / "identity.json").device_id == REPLY.device_id


@pytest.mark.integration
def test_enrolling_twice_is_refused_and_changes_nothing(server: Server, invoke: Invoke, state: Path) -> None:
    server.answer = lambda _asked: Answer(body=REPLY.to_json().encode())
    invoke("enroll", server.url, "token")
    before = (state / "identity.json").read_bytes()
    _is_clear(invoke("enroll", server.url, "token"), ExitStatus.USAGE)
    assert (state / "identity.json").read_bytes() == before
    assert len(server.asked) == 1


@pytest.mark.integration
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (Answer(503), ExitStatus.UNAVAILABLE),
        (Answer(401, b'{"title": "no", "status": 401, "code": "token-refused"}'), ExitStatus.REFUSED),
        (Answer(200, b"not an enrolment"), ExitStatus.USAGE),
    ],
)
def test_an_enrolment_that_fails_leaves_no_identity(
    server: Server, invoke: Invoke, state: Path, answer: Answer, status: ExitStatus
) -> None:
    server.answer = lambda _asked: answer
    _is_clear(invoke("enroll", server.url, "token"), status)
    assert not (state / "identity.json").exists()


@pytest.mark.parametrize("url", ["outrider.example", "ftp://outrider.example", "http://", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(invoke: Invoke, url: str) -> None:
    _is_clear(invoke("enroll", url, "token"), ExitStatus.USAGE)


def test_a_control_plane_that_is_not_there_is_said(invoke: Invoke) -> None:
    _is_clear(invoke("enroll", "http://127.0.0.1:1", "token"), ExitStatus.UNAVAILABLE)


def test_errors_come_as_json_where_json_was_asked_for(invoke: Invoke) -> None:
    result = invoke("status", "--json")
    assert json.loads(result.stderr)["error"]["code"] == "not-enrolled"
    assert result.stdout == ""


def test_settings_that_make_no_sense_are_named(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTRIDER_AGENT_READ_TIMEOUT_SECONDS", "soon")
    result = invoke("status")
    _is_clear(result, ExitStatus.USAGE)
    assert "OUTRIDER_AGENT_READ_TIMEOUT_SECONDS" in result.stderr


@pytest.mark.integration
@pytest.mark.behaviour("B-26")
def test_sync_checks_in_for_the_user(server: Server, rig: Rig) -> None:
    reply = CheckInReply(jobs_sent=2, check_in_interval_seconds=60, server_time=START, trusted_keys_version=1)
    server.answer = lambda _asked: Answer(body=reply.to_json().encode())
    identity = rig.identity.model_copy(update={"control_plane_url": server.url})
    save_identity(identity, rig.device.folders.identity)
    result = CliRunner().invoke(app, ["sync", "--json", "--state-dir", str(rig.device.folders.state)])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"jobs_sent": 2}
    assert CheckIn.from_json(server.asked[0].body).reason is CheckInReason.USER_REQUEST


def _shown(invoke: Invoke, *arguments: str) -> dict[str, Any]:
    result = invoke("status", *arguments, "--json")
    assert result.exit_code == 0
    shown: dict[str, Any] = json.loads(result.stdout)
    return shown


def test_status_of_a_new_device_says_that_nothing_has_happened(device: tuple[Rig, Invoke]) -> None:
    _rig, invoke = device
    assert _shown(invoke) == {"apps": [], "running": []}
    assert "No app" in invoke("status").stdout


def test_status_says_what_failed_and_when_the_next_attempt_is_and_why(device: tuple[Rig, Invoke]) -> None:
    rig, invoke = device
    (rig.target / "fail").write_text("73", encoding="utf-8")
    rig.run(rig.new_job())
    (app_state,) = _shown(invoke)["apps"]
    assert (app_state["outcome"], app_state["raw_exit_code"]) == ("failed", 73)
    assert app_state["next_action"]["reason"] == "retry-interval"
    text = invoke("status").stdout
    assert "exit code 73" in text
    assert "hint: " in text
    assert "next attempt at " in text
    assert " because the attempt failed; attempts keep an interval" in text


@pytest.mark.behaviour("2.6 ComplianceStateMessage", "2.6 EnforcementStateMessage", "2.6 GRS")
def test_status_shows_all_that_is_kept_of_an_app_with_a_word_for_every_number(device: tuple[Rig, Invoke]) -> None:
    rig, invoke = device
    (rig.target / "fail").write_text("73", encoding="utf-8")
    rig.run(rig.new_job())
    (shown,) = _shown(invoke)["apps"]
    assert shown["intent"] == {"number": 3, "word": "required"}
    assert shown["detection_state"] == {"number": 2, "word": "not detected"}
    assert shown["compliance"]["compliance_state"] == {"number": 4, "word": "error"}
    assert shown["compliance"]["applicability"] == {"number": 0, "word": "applicable"}
    assert shown["enforcement"]["enforcement_state"] == {"number": 5000, "word": "error"}
    assert (shown["error"]["hex"], shown["error"]["signed"]) == ("0x80070049", 0x80070049 - (1 << 32))
    assert shown["error"]["hint"]
    assert shown["next_action"]["sentence"]
    for moment in ("last_failed_enforcement", "grs_expires_at", "download_started_at", "updated_at"):
        assert datetime.fromisoformat(shown[moment]) >= START
    assert "enforcement error (5000)" in invoke("status").stdout
    assert "(GRS) ends at" in invoke("status").stdout


def test_status_says_what_is_under_way(device: tuple[Rig, Invoke]) -> None:
    rig, invoke = device
    rig.run(rig.new_job(), until=Phase.DOWNLOAD)
    (running,) = _shown(invoke)["running"]
    assert (running["app_name"], running["phase"], running["attempt"]) == ("Editor", "download", 1)
    assert "Editor: under way, attempt 1, download" in invoke("status").stdout


@pytest.mark.parametrize("app_name", ["editor", "EDITOR", "Editor"])
def test_status_of_one_app_by_id_or_name(device: tuple[Rig, Invoke], app_name: str) -> None:
    rig, invoke = device
    rig.run(rig.new_job())
    assert len(_shown(invoke, app_name)["apps"]) == 1


def test_status_of_an_app_nobody_knows_is_an_error(device: tuple[Rig, Invoke]) -> None:
    _rig, invoke = device
    _is_clear(invoke("status", "viewer"), ExitStatus.USAGE)


def test_a_second_agent_is_refused(device: tuple[Rig, Invoke]) -> None:
    rig, invoke = device
    with only_agent(rig.device.folders):
        _is_clear(invoke("run"), ExitStatus.USAGE)
        _is_clear(invoke("enroll", "http://127.0.0.1:1", "token"), ExitStatus.USAGE)
