"""Pending restarts in the life of a device: noted, waited for, announced, ordered, settled by a real restart."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.errors import InputError
from contract.phases import Phase
from contract.policy import Commands, InstallExperience, RestartSettings, ReturnCode
from contract.report import WaitReason
from contract.states import DeviceRestartBehavior, EnforcementState, Intent, Outcome, ReturnCodeType
from tests.worker.rig import START, Rig
from worker.housekeeping.clock_duty import ClockDuty
from worker.housekeeping.duty import NEVER
from worker.restart.boot import Boot
from worker.restart.duty import RestartDuty
from worker.restart.restarter import RefusingRestarter, ShutdownRestarter, this_restarter

DAY = timedelta(days=1)
#: Exit codes of POSIX systems end at 255: there 1641 and 3010 have to be named anew.
_CODES = (
    ReturnCode(return_code=0, type=ReturnCodeType.SUCCESS),
    ReturnCode(return_code=105, type=ReturnCodeType.HARD_REBOOT),
    ReturnCode(return_code=194, type=ReturnCodeType.SOFT_REBOOT),
)
_HARD: dict[str, Any] = {
    "commands": Commands(install="sh -c 'sh install.sh; exit 105'", uninstall="true"),
    "return_codes": _CODES,
}
_SOFT: dict[str, Any] = {
    "commands": Commands(install="sh -c 'sh install.sh; exit 194'", uninstall="true"),
    "return_codes": _CODES,
}


@dataclass
class RecordingRestarter:
    """Restarts nothing and remembers what it was asked."""

    ordered: list[float] = field(default_factory=list)
    works: bool = True

    def restart(self, *, in_seconds: float, message: str) -> bool:
        """See `Restarter.restart`."""
        assert "Editor" in message
        self.ordered.append(in_seconds)
        return self.works


def _duty(rig: Rig, restarter: RecordingRestarter) -> RestartDuty:
    return RestartDuty(rig.device.restarts, restarter, rig.notifier, rig.clock)


def _reboot(rig: Rig) -> None:
    rig.boot = Boot(id="second", began_at=rig.clock.now())
    rig.restart()


@pytest.mark.behaviour("2.7 hard reboot")
def test_a_hard_reboot_code_holds_other_apps_up_until_the_device_has_restarted(rig: Rig) -> None:
    rig.run(rig.new_job(**_HARD))
    report = rig.uplink.reports[-1]
    assert report.outcome is Outcome.INSTALLED
    assert "must restart by 2026-03-02T12:00+00:00; other apps wait for it" in report.phases[-2].summary
    ref = rig.new_job(app_id="other", app_name="Other")
    assert rig.run(ref)[-1][1].retry_in_seconds == 600
    rig.restart()
    wait = rig.device.ledger.attempts.wait(Phase.POLL, ref)
    assert wait is not None
    assert wait.reason is WaitReason.RESTART_PENDING
    assert "Editor" in wait.detail
    _reboot(rig)
    assert rig.engine.run(Phase.POLL, ref, turn=1).go_on_at is Phase.METADATA
    assert rig.device.ledger.restarts.all() == []


@pytest.mark.behaviour("2.7 soft reboot")
def test_a_soft_reboot_code_lets_other_apps_go_on(rig: Rig) -> None:
    rig.run(rig.new_job(**_SOFT))
    plan = rig.device.restarts.plan()
    assert plan is not None
    assert plan.apps == ("Editor",)
    assert rig.run(rig.new_job(app_id="other"))[-1][0] is Phase.REPORT


@pytest.mark.behaviour("2.5 EnforcementState 1011")
def test_an_uninstall_that_needs_a_restart_has_a_state_of_its_own(rig: Rig) -> None:
    (rig.target / "editor").touch()
    commands = Commands(install="true", uninstall="sh -c 'sh uninstall.sh; exit 194'")
    rig.run(rig.new_job(intent=Intent.UNINSTALL, return_codes=_CODES, commands=commands))
    report = rig.uplink.reports[-1]
    assert report.outcome is Outcome.UNINSTALLED
    assert report.enforcement_state is EnforcementState.SUCCESS_UNINSTALL_PENDING_REBOOT


def test_noting_a_restart_again_keeps_the_first_deadline(rig: Rig) -> None:
    ref = rig.new_job(**_SOFT)
    rig.run(ref, until=Phase.CONFIRM)
    findings = rig.device.ledger.attempts.findings(ref)
    assert findings is not None
    first = rig.device.restarts.note(rig.policy(), findings.exit_kind, succeeded=True)
    rig.clock.advance(timedelta(hours=1))
    rig.engine.run(Phase.COMPLIANCE, ref)
    assert rig.device.ledger.restarts.all() == [first]


@pytest.mark.behaviour("2.10 countdown and snooze", "B-54")
def test_the_person_is_reminded_and_the_restart_is_ordered_once_at_its_countdown(rig: Rig) -> None:
    rig.run(rig.new_job(**_SOFT))
    restarter = RecordingRestarter()
    duty = _duty(rig, restarter)
    rig.notifier.notices.clear()
    assert duty.turn() == 240 * 60
    assert len(rig.notifier.notices) == 1
    assert "must restart by" in rig.notifier.texts[0]
    rig.clock.advance(timedelta(minutes=100))
    assert duty.turn() == 140 * 60
    rig.clock.advance(timedelta(minutes=1440 - 100 - 15))
    duty.turn()
    duty.turn()
    assert restarter.ordered == [15 * 60]
    rig.restart()
    _duty(rig, restarter).turn()
    assert restarter.ordered == [15 * 60]
    _reboot(rig)
    assert _duty(rig, restarter).turn() == NEVER
    assert restarter.ordered == [15 * 60]


def test_a_restart_that_was_called_off_is_ordered_again(rig: Rig) -> None:
    rig.run(rig.new_job(restart=RestartSettings(grace_period_seconds=0), **_SOFT))
    restarter = RecordingRestarter()
    duty = _duty(rig, restarter)
    rig.clock.advance(timedelta(seconds=duty.turn()))
    duty.turn()
    assert restarter.ordered == [900, 900]


def test_a_refused_restart_is_not_announced_and_tried_again_later(rig: Rig) -> None:
    rig.run(rig.new_job(restart=RestartSettings(grace_period_seconds=0), **_SOFT))
    rig.notifier.notices.clear()
    assert _duty(rig, RecordingRestarter(works=False)).turn() == 3600
    assert rig.notifier.notices == []


def test_a_restart_left_to_others_is_never_ordered(rig: Rig) -> None:
    experience = InstallExperience(device_restart_behavior=DeviceRestartBehavior.SUPPRESS)
    rig.run(rig.new_job(install_experience=experience, **_HARD))
    assert rig.device.restarts.plan() is not None
    restarter = RecordingRestarter()
    assert _duty(rig, restarter).turn() == NEVER
    assert restarter.ordered == []


@pytest.mark.behaviour("2.10 countdown and snooze")
def test_a_snooze_puts_the_reminder_off_and_never_the_deadline(rig: Rig) -> None:
    rig.run(rig.new_job(**_SOFT))
    before = rig.device.restarts.plan()
    said = rig.device.restarts.snooze()
    assert said.remind_at == START + timedelta(minutes=240)
    assert rig.device.restarts.plan() == before
    rig.clock.advance(timedelta(minutes=1440 - 15))
    with pytest.raises(InputError, match="no longer be put off"):
        rig.device.restarts.snooze()


@pytest.mark.behaviour("2.10 restart grace")
def test_a_restart_that_was_noted_under_a_clock_a_day_ahead_comes_a_day_after_that_was_put_right(rig: Rig) -> None:
    rig.clock.jump(DAY)
    rig.run(rig.new_job(**_SOFT))
    restarter = RecordingRestarter()
    duty = _duty(rig, restarter)
    duty.turn()
    rig.clock.jump(-DAY)
    ClockDuty(rig.device.ledger, rig.clock).turn()
    assert duty.turn() == 240 * 60
    rig.clock.advance(DAY - timedelta(minutes=16))
    duty.turn()
    assert restarter.ordered == []
    rig.clock.advance(timedelta(minutes=1))
    duty.turn()
    assert restarter.ordered == [15 * 60]


def test_a_clock_that_goes_a_day_forward_ends_the_grace_period_and_never_the_countdown(rig: Rig) -> None:
    rig.run(rig.new_job(**_SOFT))
    rig.clock.jump(DAY)
    restarter = RecordingRestarter()
    _duty(rig, restarter).turn()
    assert restarter.ordered == [15 * 60]


def test_a_deadline_that_was_put_right_stays_where_it_is_while_time_passes(rig: Rig) -> None:
    rig.run(rig.new_job(**_SOFT))
    rig.clock.jump(-DAY)
    ClockDuty(rig.device.ledger, rig.clock).turn()
    rig.clock.advance(timedelta(hours=12))
    plan = rig.device.restarts.plan()
    assert plan is not None
    assert plan.due is not None
    assert plan.due.due_at == START


def test_without_a_pending_restart_there_is_nothing_to_put_off(rig: Rig) -> None:
    with pytest.raises(InputError, match="No restart"):
        rig.device.restarts.snooze()


# --- the port ---


def _program(folder: Path, body: str) -> Path:
    program = folder / "shutdown"
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def test_an_agent_restarts_nothing_unless_its_settings_allow_it() -> None:
    refusing = this_restarter(allowed=False)
    assert isinstance(refusing, RefusingRestarter)
    assert refusing.restart(in_seconds=0, message="x") is False


def test_shutdown_is_told_whole_minutes_and_why(tmp_path: Path) -> None:
    program = _program(tmp_path, f'printf "%s|" "$@" > {tmp_path}/arguments')
    assert ShutdownRestarter(program).restart(in_seconds=61, message="to finish Editor; $(id)")
    assert (tmp_path / "arguments").read_text() == "-r|+2|to finish Editor; $(id)|"


@pytest.mark.parametrize("body", ["exit 1", None])
def test_a_system_that_refuses_is_said(tmp_path: Path, body: str | None) -> None:
    program = tmp_path / "missing" if body is None else _program(tmp_path, body)
    assert not ShutdownRestarter(program).restart(in_seconds=0, message="x")
