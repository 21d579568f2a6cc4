"""Who is told what, and when nobody is told anything."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from contract.policy import Limits
from contract.states import Intent, NotificationLevel
from tests.worker.rig import Rig
from worker.notices.notice import Event, Notice, app_notice
from worker.notices.notify_send import NotifySend
from worker.platform.linux import LinuxPlatform
from worker.platform.port import UserSession
from worker.processes.account import Account
from worker.processes.environment import Environment


@pytest.mark.behaviour("B-42", "B-60")
def test_an_install_is_announced_and_its_result_told(rig: Rig) -> None:
    rig.run(rig.new_job())
    assert rig.notifier.texts == [
        "Editor is being downloaded and installed.",
        "Editor is being installed.",
        "Editor was installed.",
    ]


@pytest.mark.behaviour("B-60")
def test_an_uninstall_has_words_of_its_own(rig: Rig) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job(intent=Intent.UNINSTALL))
    assert rig.notifier.texts == ["Editor is being removed.", "Editor was removed."]


@pytest.mark.behaviour("B-60")
def test_only_a_failure_that_is_not_soon_tried_again_is_told(rig: Rig) -> None:
    (rig.target / "fail").write_text("73")
    ref = rig.new_job(limits=Limits(attempts=2, max_run_time_seconds=30))
    rig.run(ref)
    assert "Editor could not be installed." not in rig.notifier.texts
    rig.clock.advance(timedelta(minutes=5))
    rig.run(ref.next_attempt())
    assert rig.notifier.texts[-1] == "Editor could not be installed."


def test_nothing_is_said_of_what_is_as_desired_already(rig: Rig) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job())
    assert rig.notifier.notices == []


@pytest.mark.behaviour("2.5 NotificationLevel", "B-13")
@pytest.mark.parametrize("level", [NotificationLevel.SHOW_REBOOT, NotificationLevel.HIDE_ALL])
def test_a_policy_that_keeps_quiet_is_quiet(rig: Rig, level: NotificationLevel) -> None:
    rig.run(rig.new_job(notifications=level))
    assert rig.notifier.notices == []
    assert app_notice(Event.INSTALLED, rig.policy(notifications=level)) is None


# --- the desktop ---


class _Desk(LinuxPlatform):
    def user_sessions(self) -> tuple[UserSession, ...]:
        return (UserSession("nobody", ":0"),)


def _show(folder_for_all: Path, monkeypatch: pytest.MonkeyPatch, body: str, *, bus: bool = True) -> list[str]:
    """Show a notice through a program that stands in for `notify-send`; returns what it was given."""
    folder_for_all.chmod(0o777)
    program, told = folder_for_all / "notify-send", folder_for_all / "told"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$(id -un)" "$DBUS_SESSION_BUS_ADDRESS" "$@" > {told}\n{body}\n')
    program.chmod(0o755)
    variables = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"} if bus else {}
    monkeypatch.setattr(Account, "variables", lambda self, display="": variables | {"DISPLAY": display})
    notifier = NotifySend(str(program), _Desk(folder_for_all), Environment((), {}))
    notifier.notify(Notice("Editor", "--urgency=low; $(id)", urgent=True))
    return told.read_text().splitlines() if told.exists() else []


_linux_root = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root acts for others")


@_linux_root
def test_a_notice_is_shown_in_the_users_name_and_its_words_are_no_options(
    folder_for_all: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _show(folder_for_all, monkeypatch, "") == [
        "nobody",
        "unix:path=/x",
        "--app-name=Outrider",
        "--urgency=critical",
        "--",
        "Editor",
        "--urgency=low; $(id)",
    ]


@_linux_root
def test_a_session_without_a_bus_is_left_alone(folder_for_all: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _show(folder_for_all, monkeypatch, "", bus=False) == []


@_linux_root
@pytest.mark.parametrize("body", ["exit 1", "sleep 60"])
def test_a_desktop_that_fails_or_hangs_fails_nothing(
    folder_for_all: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    # Time enough to note who it runs as, on a busy machine, too.
    monkeypatch.setattr("worker.notices.notify_send._LIMIT_SECONDS", 3)
    assert _show(folder_for_all, monkeypatch, body)[0] == "nobody"


def test_a_program_that_vanished_fails_nothing(folder_for_all: Path) -> None:
    NotifySend(str(folder_for_all / "missing"), _Desk(folder_for_all), Environment((), {})).notify(Notice("a", "b"))
