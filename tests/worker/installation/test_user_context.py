"""Commands in the logged-on user's name, with a real account of this machine."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy import Commands, InstallExperience, Limits
from contract.report import Report, WaitReason
from contract.rules import RunAsAccount
from contract.states import DetectionState, InstallContext, Intent, Outcome
from contract.uplink import SecretsReply
from tests.worker.rig import PackedContent, Rig
from tests.worker.secrets.conftest import LICENCE, USES, VALUES, sealed
from worker.engine import Engine
from worker.folders import Folders
from worker.installation import installer, user_context
from worker.installation.given_content import give_content
from worker.installation.user_context import logged_on_user, logged_on_users
from worker.judgement.machine import Machine
from worker.platform.linux import LinuxPlatform
from worker.platform.port import UserSession
from worker.processes.account import Account

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="accounts of Linux"),
]
_needs_root = pytest.mark.skipif(sys.platform == "linux" and os.geteuid() != 0, reason="only root acts for others")
#: An account that every Debian, Fedora and Alpine has; it owns nothing.
_USER = "nobody"
_AS_USER = InstallExperience(run_as_account=RunAsAccount.USER)


class Sessions(LinuxPlatform):
    """This machine, with other people logged on."""

    def __init__(self, state_dir: Path, *users: str) -> None:
        super().__init__(state_dir)
        self.sessions = [UserSession(user, ":0") for user in users]

    def user_sessions(self) -> tuple[UserSession, ...]:
        """Who is said to be logged on."""
        return tuple(self.sessions)


class UserRig(Rig):
    """A device whose logged-on users a test decides."""

    platform: Sessions

    def start(self) -> None:
        """See `Rig.start`."""
        super().start()
        self.platform = Sessions(self.device.folders.state, _USER)
        machine = self.device.machine
        self.device = replace(self.device, machine=Machine(self.platform, machine.scripts, machine.environment))
        self.engine = Engine(self.device, self.progress, self.functions)
        self.target.chmod(0o777)


@pytest.fixture
def rig(folder_for_all: Path, content: PackedContent) -> Iterator[UserRig]:
    """A device with somebody logged on who can reach its folder."""
    made = UserRig(folder_for_all, content)
    yield made
    made.device.ledger.close()


def _job(rig: UserRig, command: str = "sh install.sh") -> JobRef:
    return rig.new_job(install_experience=_AS_USER, commands=Commands(install=command, uninstall="true"))


def _report(rig: UserRig) -> Report:
    return rig.uplink.reports[-1]


@_needs_root
@pytest.mark.behaviour("B-50", "B-67")
def test_the_command_runs_in_the_users_name_with_the_users_environment_and_rights(rig: UserRig) -> None:
    rig.run(_job(rig, "sh -c 'id -un; id -Gn; echo $HOME $USER $DISPLAY; sh \"$PWD/install.sh\"'"))
    report = _report(rig)
    assert report.outcome is Outcome.INSTALLED
    name, groups, variables = report.output_tail.splitlines()[:3]
    assert name == _USER
    assert "root" not in groups
    assert variables.split()[1:] == [_USER, ":0"]
    state = rig.device.ledger.apps.state("editor")
    assert state is not None
    assert state.compliance.install_context is InstallContext.USER
    assert (rig.target / "editor").owner() == _USER


@_needs_root
@pytest.mark.behaviour("B-67")
def test_the_user_may_use_the_content_and_nothing_else_of_the_agent(rig: UserRig) -> None:
    state = rig.device.folders.state
    script = f"ls {state} {state}/IMECache {state}/logs; cat {state}/ledger.sqlite3; touch here; sh install.sh"
    rig.run(_job(rig, f"sh -c '{script}'"))
    report = _report(rig)
    assert report.outcome is Outcome.INSTALLED
    assert report.output_tail.count("Permission denied") == 4


@_needs_root
@pytest.mark.behaviour("B-67")
def test_the_user_sees_nothing_of_other_apps_content(rig: UserRig) -> None:
    system = rig.new_job(app_id="other", app_name="Other")
    rig.run(system, until=Phase.UNPACK)
    other = rig.device.folders.cache / "other_1"
    rig.run(_job(rig, f"sh -c 'cat {other}/install.sh; ls {other}; sh install.sh'"))
    assert _report(rig).output_tail.count("Permission denied") == 2


@_needs_root
def test_content_that_an_agent_gave_away_before_it_was_killed_is_unpacked_again(rig: UserRig) -> None:
    ref = _job(rig)
    rig.run(ref, until=Phase.UNPACK)
    content = rig.device.folders.content(rig.policy())
    os.chown(content, 65534, 65534)
    (content / "planted").touch()
    rig.engine.run(Phase.INSTALL, ref)
    assert "in a user's hands" in rig.device.ledger.attempts.records(ref)[-1].summary
    assert not (content / "planted").exists()
    assert rig.installs() == 1


@_needs_root
@pytest.mark.behaviour("B-67")
def test_what_the_user_may_not_do_fails_as_the_installer_says(rig: UserRig) -> None:
    rig.target.chmod(0o755)
    rig.run(_job(rig))
    assert _report(rig).outcome is Outcome.FAILED


@_needs_root
def test_with_nobody_logged_on_the_command_waits_and_goes_on_after_the_log_on(rig: UserRig) -> None:
    rig.platform.sessions.clear()
    ref = _job(rig)
    phase, handover = rig.run(ref)[-1]
    assert phase is Phase.INSTALL
    assert handover.retry_in_seconds == 60
    wait = rig.device.ledger.attempts.wait(Phase.INSTALL, ref)
    assert wait is not None
    assert wait.reason is WaitReason.NO_USER
    assert rig.installs() == 0
    rig.platform.sessions.append(UserSession(_USER, "tty1"))
    rig.clock.advance(timedelta(seconds=60))
    assert rig.engine.run(Phase.INSTALL, ref, turn=1).go_on_at is Phase.CONFIRM
    assert rig.installs() == 1


@_needs_root
@pytest.mark.behaviour("B-63")
def test_a_log_off_right_before_the_command_starts_has_its_own_code(
    rig: UserRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_and_log_off(folders: Folders, content: Path, account: Account) -> None:
        give_content(folders, content, account)
        rig.platform.sessions.clear()

    monkeypatch.setattr(installer, "give_content", give_and_log_off)
    rig.run(_job(rig))
    error = _report(rig).error
    assert error is not None
    assert (error.number, error.phase) == (0x87D300CD, Phase.INSTALL)
    assert error.code == ErrorCode.USER_LOGGED_OFF.slug
    assert rig.installs() == 0


@_needs_root
@pytest.mark.behaviour("B-63")
def test_a_log_off_that_ends_the_command_is_told_from_a_failing_command(
    rig: UserRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.phases.install.is_logged_on", lambda *_: False)
    rig.run(_job(rig, "sh -c 'kill -HUP $$'"))
    error = _report(rig).error
    assert error is not None
    assert error.number == 0x87D300CD
    assert error.raw_exit_code == 129


@_needs_root
@pytest.mark.behaviour("B-62")
def test_a_session_that_changed_before_the_result_was_judged_has_its_own_code(rig: UserRig) -> None:
    ref = _job(rig, "true")
    rig.run(ref, until=Phase.INSTALL)
    rig.platform.sessions.clear()
    for phase in (Phase.CONFIRM, Phase.COMPLIANCE, Phase.REPORT):
        rig.engine.run(phase, ref)
    report = _report(rig)
    assert report.error is not None
    assert report.error.code == ErrorCode.SESSION_CHANGED.slug
    assert report.detection_state is DetectionState.NOT_DETECTED


@_needs_root
@pytest.mark.behaviour("B-52")
def test_a_users_command_is_ended_at_its_time_limit(rig: UserRig) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job(install_experience=_AS_USER, limits=Limits(max_run_time_seconds=0.3))
    rig.run(ref)
    error = _report(rig).error
    assert error is not None
    assert error.code == ErrorCode.INSTALLER_TIMEOUT.slug


@_needs_root
def test_the_one_who_is_logged_on_the_longest_is_the_user_and_root_never_is(rig: UserRig) -> None:
    rig.platform.sessions[:] = [
        UserSession(name, terminal)
        for name, terminal in (("root", "tty1"), ("no-such-account", ""), ("nobody", ":1"), ("daemon", ""))
    ]
    assert [user.account.name for user in logged_on_users(rig.platform)] == ["nobody", "daemon"]
    user = logged_on_user(rig.platform)
    assert user is not None
    assert user.display == ":1"


def test_an_agent_that_is_no_root_acts_for_its_own_account_only(rig: UserRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    monkeypatch.setattr(user_context, "own_account_name", lambda: _USER)
    rig.platform.sessions[:] = [UserSession("daemon", "tty1")]
    assert [user.account.name for user in logged_on_users(rig.platform)] == [_USER]


@pytest.mark.behaviour("2.5 Applicability 1011")
def test_an_agent_that_cannot_act_for_users_refuses_before_anything_is_downloaded(
    rig: UserRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.phases.applicability.why_unsupported", lambda: "no users here")
    rig.run(_job(rig))
    assert _report(rig).outcome is Outcome.NOT_APPLICABLE
    assert _report(rig).applicability == 1011
    assert rig.source.asked_from == []


def test_an_uninstall_that_cannot_run_for_the_user_is_an_error(rig: UserRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_context, "why_unsupported", lambda: "no users here")
    (rig.target / "editor").touch()
    rig.run(rig.new_job(install_experience=_AS_USER, intent=Intent.UNINSTALL))
    error = _report(rig).error
    assert error is not None
    assert error.code == ErrorCode.INSTALLER_NOT_STARTED.slug


@_needs_root
def test_secrets_given_as_files_are_the_users_own_and_gone_afterwards(rig: UserRig) -> None:
    line = (
        'sh -c \'stat -c "%a %U" $OUTRIDER_SECRETS_DIR $OUTRIDER_SECRETS_DIR/licence; echo $OUTRIDER_SECRETS_DIR;'
        ' cat $OUTRIDER_SECRETS_DIR/licence > "$TARGET/licence"; sh "$PWD/install.sh"\''
    )
    ref = rig.new_job(install_experience=_AS_USER, commands=Commands(install=line, uninstall="true"), secrets=USES)
    secrets = tuple(sealed(rig, ref, name, value.encode()) for name, value in VALUES.items())
    rig.uplink.sealed_secrets[ref.job_id] = SecretsReply(secrets=secrets)
    rig.run(ref)
    report = _report(rig)
    assert report.outcome is Outcome.INSTALLED
    *modes, folder = report.output_tail.splitlines()[:3]
    assert modes == [f"700 {_USER}", f"600 {_USER}"]
    assert not Path(folder).exists()
    assert (rig.target / "licence").read_text(encoding="utf-8") == LICENCE
