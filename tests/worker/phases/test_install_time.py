"""The command waits for its window by the device's own clock; everything before it does not."""

from datetime import UTC, datetime, timedelta

import pytest

from contract.jobs import JobRef
from contract.maintenance import MaintenanceWindow
from contract.phases import Phase
from contract.policy import Delivery
from contract.report import WaitReason
from contract.states import Intent, Outcome
from tests.worker.rig import START, Rig

#: The rig's clock shows 12:00 in UTC, and so 13:00 in Berlin.
AFTERNOON = MaintenanceWindow(start="15:00", duration_in_minutes=60)
LUNCH = MaintenanceWindow(start="12:30", duration_in_minutes=60)


@pytest.fixture(autouse=True)
def in_berlin(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = type(rig.device.machine.platform)
    monkeypatch.setattr(platform, "time_zone", lambda _self: "Europe/Berlin")


def _until_it_waits(rig: Rig, *windows: MaintenanceWindow, **policy: object) -> tuple[JobRef, float]:
    ref = rig.new_job(**{"delivery": Delivery(windows=windows), **policy})
    phase, handover = rig.run(ref)[-1]
    assert phase is Phase.INSTALL
    assert handover.retry_in_seconds is not None
    return ref, handover.retry_in_seconds


def test_content_is_fetched_and_the_command_waits_for_the_opening(rig: Rig) -> None:
    _, seconds = _until_it_waits(rig, AFTERNOON)
    assert timedelta(seconds=seconds) == timedelta(hours=2)
    assert rig.installs() == 0
    (running,) = rig.device.ledger.attempts.running()
    assert running.wait is not None
    assert running.wait.reason is WaitReason.WINDOW
    assert running.wait.at == datetime(2026, 3, 1, 14, tzinfo=UTC)
    assert running.wait.detail == "it opens Sunday 2026-03-01 15:00 by this device's clock, Europe/Berlin"
    told = max(rig.progress.drain(), key=lambda item: item.sequence)
    assert (told.phase, told.waiting) == (Phase.INSTALL, running.wait)


def test_at_the_opening_it_is_installed(rig: Rig) -> None:
    ref, seconds = _until_it_waits(rig, AFTERNOON)
    rig.clock.advance(timedelta(seconds=seconds))
    assert rig.engine.run(Phase.INSTALL, ref, turn=1).go_on_at is Phase.CONFIRM
    assert rig.installs() == 1


def test_a_message_that_comes_too_early_waits_on(rig: Rig) -> None:
    ref, _ = _until_it_waits(rig, AFTERNOON)
    rig.clock.advance(timedelta(minutes=90))
    assert rig.engine.run(Phase.INSTALL, ref, turn=1).retry_in_seconds == timedelta(minutes=30).total_seconds()
    assert rig.installs() == 0


def test_after_a_kill_the_wait_goes_on(rig: Rig) -> None:
    ref, seconds = _until_it_waits(rig, AFTERNOON)
    rig.restart()
    rig.clock.advance(timedelta(seconds=seconds))
    assert rig.engine.run(Phase.INSTALL, ref, turn=1).go_on_at is Phase.CONFIRM
    assert rig.installs() == 1


def test_an_open_window_lets_it_run_at_once(rig: Rig) -> None:
    rig.run(rig.new_job(delivery=Delivery(windows=(LUNCH,))))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def test_what_is_there_already_waits_for_nothing(rig: Rig) -> None:
    (rig.target / "editor").touch()
    rig.run(rig.new_job(delivery=Delivery(windows=(AFTERNOON,))))
    assert rig.uplink.reports[-1].outcome is Outcome.ALREADY_INSTALLED


def test_what_somebody_at_the_device_asked_for_waits_for_nothing(rig: Rig) -> None:
    rig.run(rig.new_job(delivery=Delivery(windows=(AFTERNOON,)), intent=Intent.AVAILABLE))
    assert rig.installs() == 1


def test_a_far_opening_is_looked_at_again_before(rig: Rig) -> None:
    early = MaintenanceWindow(start="09:00", duration_in_minutes=60)
    _, seconds = _until_it_waits(rig, early)
    assert timedelta(seconds=seconds) == timedelta(hours=8)


@pytest.mark.behaviour("2.10 deadline")
def test_before_its_deadline_content_is_fetched_and_nothing_is_run(rig: Rig) -> None:
    due = START + timedelta(hours=3)
    ref, seconds = _until_it_waits(rig, delivery=Delivery(deadline_at=due))
    assert timedelta(seconds=seconds) == timedelta(hours=3)
    (running,) = rig.device.ledger.attempts.running()
    assert running.wait is not None
    assert running.wait.reason is WaitReason.DEADLINE
    rig.clock.advance(timedelta(seconds=seconds))
    rig.engine.run(Phase.INSTALL, ref, turn=1)
    assert rig.installs() == 1
