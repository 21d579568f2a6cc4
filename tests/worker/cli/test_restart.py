"""`outrider-agent restart status|snooze` on a ledger with and without a pending restart."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract.clock import SystemClock
from contract.policy import InstallExperience, RestartSettings
from contract.states import DeviceRestartBehavior, ReturnCodeType
from tests.worker.rig import Rig
from worker.cli.commands import app
from worker.restart.restarts import Restarts


def _run(rig: Rig, *arguments: str) -> tuple[int, str]:
    identity = rig.device.folders.identity
    identity.touch()
    result = CliRunner().invoke(app, ["restart", *arguments, "--state-dir", str(rig.device.folders.state)])
    return result.exit_code, result.output


def _pend(rig: Rig, **changes: object) -> None:
    restarts = Restarts(rig.device.ledger.restarts, SystemClock())
    restarts.note(rig.policy(**changes), ReturnCodeType.HARD_REBOOT, succeeded=True)


def test_without_a_pending_restart_it_says_so(rig: Rig) -> None:
    assert _run(rig, "status") == (0, "No restart is pending.\n")
    status, output = _run(rig, "snooze", "--json")
    assert status == 2
    assert json.loads(output)["error"]["code"] == "restart-not-pending"


def test_a_pending_restart_is_shown_with_its_deadline_and_those_who_wait(rig: Rig) -> None:
    _pend(rig)
    status, output = _run(rig, "status")
    assert status == 0
    assert "to finish Editor" in output
    assert "The restart is due at" in output
    assert "Other apps wait" in output
    facts = json.loads(_run(rig, "status", "--json")[1])
    assert facts["pending"] is True
    assert facts["apps"] == ["Editor"]
    assert facts["due_at"] is not None
    assert facts["remind_at"] is None


@pytest.mark.behaviour("2.10 countdown and snooze")
def test_a_snooze_says_when_the_next_reminder_comes(rig: Rig) -> None:
    _pend(rig)
    due_at = json.loads(_run(rig, "status", "--json")[1])["due_at"]
    status, output = _run(rig, "snooze", "--json")
    assert status == 0
    assert json.loads(output)["remind_at"] < json.loads(output)["due_at"]
    assert json.loads(output)["due_at"] == due_at
    assert "The next reminder is due at" in _run(rig, "status")[1]


def test_a_restart_whose_countdown_has_begun_is_not_put_off(rig: Rig) -> None:
    _pend(rig, restart=RestartSettings(grace_period_seconds=60))
    status, output = _run(rig, "snooze")
    assert status == 2
    assert "can no longer be put off" in output


def test_a_restart_left_to_others_has_no_deadline(rig: Rig) -> None:
    _pend(rig, install_experience=InstallExperience(device_restart_behavior=DeviceRestartBehavior.ALLOW))
    assert "is due" not in _run(rig, "status")[1]
    assert _run(rig, "snooze")[0] == 2


def test_a_device_that_is_not_enrolled_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["restart", "status", "--state-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "not enrolled" in result.output
