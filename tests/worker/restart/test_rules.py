"""Which restart follows which exit code under which policy, and when it is announced and made."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.policy import Commands, ContentRef, InstallExperience, Policy, RestartSettings
from contract.rules import FileRule
from contract.states import DeviceRestartBehavior, Intent, NotificationLevel, ReturnCodeType
from worker.restart.boot import Boot, this_boot
from worker.restart.rules import (
    ORDER_AGAIN_SECONDS,
    Announcement,
    PendingRestart,
    Step,
    next_step,
    plan_of,
    restart_wanted,
    seconds_to_restart,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOOT = Boot(id="first", began_at=NOW)
BASED, ALLOW, SUPPRESS, FORCE = (
    DeviceRestartBehavior.BASED_ON_RETURN_CODE,
    DeviceRestartBehavior.ALLOW,
    DeviceRestartBehavior.SUPPRESS,
    DeviceRestartBehavior.FORCE,
)
SUCCESS, SOFT, HARD = ReturnCodeType.SUCCESS, ReturnCodeType.SOFT_REBOOT, ReturnCodeType.HARD_REBOOT


def _policy(behavior: DeviceRestartBehavior = BASED, **changes: object) -> Policy:
    facts: dict[str, object] = {
        "app_id": "editor",
        "app_name": "Editor",
        "revision": 1,
        "intent": Intent.REQUIRED,
        "commands": Commands(install="x", uninstall="y"),
        "detection_rules": (FileRule(path="/", file_or_folder_name="x"),),
        "install_experience": InstallExperience(device_restart_behavior=behavior),
        "content": ContentRef(
            digest="0" * 64,
            size=1,
            plain_size=1,
            plain_digest=b"",
            mac=b"",
            mac_key=b"",
            initialization_vector=b"",
        ),
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=1),
    }
    return Policy.model_validate(facts | changes)


def _wanted(
    behavior: DeviceRestartBehavior, kind: ReturnCodeType | None, *, succeeded: bool = True, **changes: object
) -> PendingRestart | None:
    return restart_wanted(_policy(behavior, **changes), kind, succeeded=succeeded, now=NOW, boot=BOOT)


def _due(after: timedelta, **changes: object) -> PendingRestart:
    restart = _wanted(BASED, SOFT)
    assert restart is not None
    return restart.model_copy(update={"due_at": NOW + after} | changes)


@pytest.mark.behaviour("B-54", "2.7 soft reboot", "2.7 hard reboot", "2.5 DeviceRestartBehavior")
@pytest.mark.parametrize(
    ("behavior", "kind", "due", "blocks"),
    [
        (BASED, SOFT, True, False),
        (BASED, HARD, True, True),
        (ALLOW, SOFT, False, False),
        (ALLOW, HARD, False, True),
        (SUPPRESS, SOFT, False, False),
        (SUPPRESS, HARD, False, False),
        (FORCE, SUCCESS, True, False),
        (FORCE, SOFT, True, False),
        (FORCE, HARD, True, True),
    ],
)
def test_behaviour_and_return_code_decide_together(
    behavior: DeviceRestartBehavior, kind: ReturnCodeType, due: bool, blocks: bool
) -> None:
    wanted = _wanted(behavior, kind)
    assert wanted is not None
    assert (wanted.due_at is not None, wanted.blocks) == (due, blocks)


@pytest.mark.parametrize("behavior", list(DeviceRestartBehavior))
@pytest.mark.parametrize("kind", [None, ReturnCodeType.FAILED, ReturnCodeType.RETRY, SUCCESS])
def test_without_a_reboot_code_only_a_forced_success_restarts(
    behavior: DeviceRestartBehavior, kind: ReturnCodeType | None
) -> None:
    succeeded = kind is SUCCESS
    wanted = _wanted(behavior, kind, succeeded=succeeded)
    assert (wanted is not None) == (behavior is FORCE and succeeded)


def test_an_installer_that_asks_for_a_restart_gets_it_though_detection_disagrees() -> None:
    assert _wanted(BASED, HARD, succeeded=False) is not None


@pytest.mark.behaviour("2.10 restart grace")
def test_the_grace_period_is_a_day_unless_the_policy_says_otherwise() -> None:
    by_default, own = _wanted(BASED, SOFT), _wanted(BASED, SOFT, restart=RestartSettings(grace_period_seconds=60))
    assert by_default is not None
    assert own is not None
    assert by_default.due_at == NOW + timedelta(minutes=1440)
    assert own.due_at == NOW + timedelta(seconds=60)
    assert (by_default.countdown_seconds, by_default.snooze_seconds) == (15 * 60, 240 * 60)


@pytest.mark.behaviour("2.10 restart grace")
def test_two_weeks_are_the_longest_grace_period() -> None:
    assert RestartSettings(grace_period_seconds=20160 * 60)
    with pytest.raises(ValidationError):
        RestartSettings(grace_period_seconds=20160 * 60 + 1)


@pytest.mark.behaviour("2.10 earliest deadline")
def test_the_earliest_deadline_wins_and_all_apps_are_named() -> None:
    late = _due(timedelta(hours=9), app_name="Late")
    early = _due(timedelta(hours=1), app_name="Early")
    undated = _due(timedelta(), app_name="Undated").model_copy(update={"due_at": None, "blocks": True})
    plan = plan_of([late, undated, early])
    assert plan is not None
    assert plan.due == early
    assert plan.blocks
    assert plan.apps == ("Late", "Undated", "Early")
    assert plan_of([]) is None
    only_undated = plan_of([undated])
    assert only_undated is not None
    assert only_undated.due is None


@pytest.mark.behaviour("2.10 countdown and snooze")
def test_first_a_reminder_then_silence_until_the_next_then_the_countdown() -> None:
    due = _due(timedelta(hours=24))
    assert next_step(due, Announcement(), now=NOW) == (Step.REMIND, 4 * 3600)
    said = Announcement(remind_at=NOW + timedelta(hours=4))
    assert next_step(due, said, now=NOW + timedelta(hours=1)) == (Step.WAIT, 3 * 3600)
    assert next_step(due, said, now=NOW + timedelta(hours=4))[0] is Step.REMIND
    assert next_step(due, said, now=NOW + timedelta(hours=23, minutes=45))[0] is Step.ORDER


def test_a_snooze_never_reaches_beyond_the_countdown() -> None:
    due = _due(timedelta(hours=1))
    said = Announcement(remind_at=NOW + timedelta(hours=4))
    assert next_step(due, said, now=NOW) == (Step.WAIT, 45 * 60)


def test_a_restart_is_ordered_once_and_again_only_long_after_it_should_have_come() -> None:
    due = _due(timedelta())
    assert next_step(due, Announcement(), now=NOW)[0] is Step.ORDER
    said = Announcement(ordered_at=NOW)
    again = timedelta(seconds=due.countdown_seconds + ORDER_AGAIN_SECONDS)
    assert next_step(due, said, now=NOW) == (Step.WAIT, again.total_seconds())
    assert next_step(due, said, now=NOW + again)[0] is Step.ORDER


def test_an_app_that_shows_nothing_is_not_reminded_of_and_restarts_all_the_same() -> None:
    quiet = _wanted(BASED, SOFT, notifications=NotificationLevel.HIDE_ALL)
    assert quiet is not None
    assert next_step(quiet, Announcement(), now=NOW)[0] is Step.WAIT
    assert next_step(quiet, Announcement(), now=NOW + timedelta(hours=24))[0] is Step.ORDER
    reboots_only = _wanted(BASED, SOFT, notifications=NotificationLevel.SHOW_REBOOT)
    assert reboots_only is not None
    assert next_step(reboots_only, Announcement(), now=NOW)[0] is Step.REMIND


def test_who_slept_through_the_deadline_still_gets_the_whole_countdown() -> None:
    due = _due(timedelta())
    assert seconds_to_restart(due, now=NOW + timedelta(hours=9)) == 15 * 60
    assert seconds_to_restart(due, now=NOW - timedelta(minutes=15)) == 15 * 60


_SECONDS = st.integers(0, 20160 * 60)


@given(grace=_SECONDS, countdown=_SECONDS, snooze=st.integers(1, 20160 * 60), now=_SECONDS, remind=_SECONDS)
def test_whatever_the_numbers_there_is_a_next_look_and_no_restart_before_its_countdown(
    grace: int, countdown: int, snooze: int, now: int, remind: int
) -> None:
    due = _due(timedelta(seconds=grace), countdown_seconds=float(countdown), snooze_seconds=float(snooze))
    said = Announcement(remind_at=NOW + timedelta(seconds=remind))
    step, seconds = next_step(due, said, now=NOW + timedelta(seconds=now))
    assert seconds > 0
    assert (step is Step.ORDER) == (now >= grace - countdown)


def test_a_clock_set_back_makes_the_grace_period_begin_anew_as_it_was_stated() -> None:
    due = _due(timedelta(hours=24))
    assert due.as_of(NOW + timedelta(hours=1)) == due
    put_right = due.as_of(NOW - timedelta(hours=24))
    assert (put_right.noted_at, put_right.due_at) == (NOW - timedelta(hours=24), NOW)
    undated = due.model_copy(update={"due_at": None})
    assert undated.as_of(NOW - timedelta(hours=24)).due_at is None


def test_a_clock_set_back_puts_neither_the_reminder_nor_the_next_order_off() -> None:
    said = Announcement(ordered_at=NOW).again_after(4 * 3600, now=NOW)
    assert said.as_of(NOW + timedelta(hours=1)) == said
    earlier = NOW - timedelta(hours=24)
    assert said.as_of(earlier) == Announcement(ordered_at=earlier).again_after(4 * 3600, now=earlier)
    assert Announcement().as_of(earlier) == Announcement()


@given(grace=_SECONDS, jumps=st.lists(st.integers(-3 * 86_400, 3 * 86_400), max_size=6))
def test_however_often_the_clock_is_set_no_more_of_the_grace_period_is_left_than_was_stated(
    grace: int, jumps: list[int]
) -> None:
    due, now, forward = _due(timedelta(seconds=grace)), NOW, 0
    for jump in jumps:
        now, forward = now + timedelta(seconds=jump), forward + max(0, jump)
        due = due.as_of(now)
        assert due.due_at is not None
        left = (due.due_at - now).total_seconds()
        assert grace - forward <= left <= grace


def test_a_boot_is_told_by_its_name_and_elsewhere_by_its_time() -> None:
    later = NOW + timedelta(hours=1)
    assert BOOT.is_same(Boot(id="first", began_at=later))
    assert not BOOT.is_same(Boot(id="second", began_at=NOW))
    assert Boot(began_at=NOW).is_same(Boot(began_at=NOW + timedelta(seconds=2)))
    assert not Boot(began_at=NOW).is_same(Boot(began_at=later))
    assert this_boot().is_same(this_boot())
