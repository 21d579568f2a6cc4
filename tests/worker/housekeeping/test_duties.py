import os
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.phases import PHASES, Phase
from contract.report import Report, Wait, WaitReason
from contract.uplink import CheckInReason
from tests.worker.rig import Rig
from worker.housekeeping.check_in import JITTER, CheckInDuty, message_of
from worker.housekeeping.delivery import DeliveryDuty
from worker.housekeeping.duty import NEVER
from worker.housekeeping.progress_duty import ProgressDuty
from worker.housekeeping.pruning import INTERVAL_SECONDS, KEPT, PruningDuty
from worker.progress import INTERVAL_SECONDS as PROGRESS_SECONDS
from worker.progress import PhaseReporter
from worker.rules.backoff import LONGEST_WAIT_SECONDS


def _check_in(rig: Rig, *, interval: float = 600, fixed: bool = False) -> CheckInDuty:
    return CheckInDuty(
        rig.uplink,
        partial(message_of, rig.device),
        rig.clock,
        Random(1),
        interval_seconds=interval,
        fixed_interval=fixed,
    )


def _delivery(rig: Rig) -> DeliveryDuty:
    return DeliveryDuty(rig.device.ledger.outbox, rig.uplink, rig.clock)


def _undelivered(rig: Rig) -> Report:
    ref = rig.new_job()
    rig.run(ref, until=Phase.COMPLIANCE)
    rig.uplink.available = False
    rig.engine.run(Phase.REPORT, ref)
    (waiting,) = rig.device.ledger.outbox.waiting()
    return waiting.report


@pytest.mark.behaviour("B-26")
def test_the_first_check_in_is_at_start_and_says_so(rig: Rig) -> None:
    duty = _check_in(rig)
    duty.turn()
    assert [check_in.reason for check_in in rig.uplink.check_ins] == [CheckInReason.AGENT_RESTART]
    duty.turn()
    assert len(rig.uplink.check_ins) == 1


@pytest.mark.behaviour("B-25")
def test_the_next_one_comes_after_the_interval_the_control_plane_asked_for_with_jitter(rig: Rig) -> None:
    rig.uplink.check_in_interval_seconds = 1000
    duty = _check_in(rig)
    waits = []
    for _ in range(20):
        waits.append(duty.turn())
        rig.clock.advance(timedelta(seconds=waits[-1] + 0.001))
    assert len(rig.uplink.check_ins) == 20
    assert all(1000 * (1 - JITTER) <= wait <= 1000 * (1 + JITTER) for wait in waits)
    assert len(set(waits)) == len(waits)
    assert rig.uplink.check_ins[-1].reason is CheckInReason.MAINTENANCE_TIMER


def test_an_interval_set_on_the_device_stays(rig: Rig) -> None:
    assert _check_in(rig, interval=10, fixed=True).turn() < 12


def test_a_check_in_that_failed_is_made_again_soon_with_growing_waits(rig: Rig) -> None:
    rig.uplink.available = False
    duty = _check_in(rig)
    waits = []
    for _ in range(3):
        waits.append(duty.turn())
        rig.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == [2, 4, 8]
    rig.uplink.available = True
    duty.turn()
    assert rig.uplink.check_ins[0].reason is CheckInReason.AGENT_RESTART


def test_a_report_is_delivered_once_the_control_plane_answers_again(rig: Rig) -> None:
    report = _undelivered(rig)
    duty = _delivery(rig)
    wait = duty.turn()
    assert 0 < wait <= LONGEST_WAIT_SECONDS
    rig.uplink.available = True
    duty.turn()
    assert rig.uplink.reports == []
    rig.clock.advance(timedelta(seconds=wait))
    assert duty.turn() == NEVER
    assert rig.uplink.reports == [report]
    assert rig.device.ledger.outbox.waiting() == []


def test_waits_for_delivery_grow_and_reports_survive_a_restart(rig: Rig) -> None:
    _undelivered(rig)
    waits = []
    for _ in range(4):
        rig.restart()
        waits.append(_delivery(rig).turn())
        rig.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == [2, 4, 8, 16]


def test_a_clock_that_was_set_back_holds_no_report_for_long(rig: Rig) -> None:
    report = _undelivered(rig)
    rig.device.ledger.outbox.put(report, due_at=rig.clock.now() + timedelta(days=1))
    assert _delivery(rig).turn() == LONGEST_WAIT_SECONDS


def test_a_report_of_a_job_nobody_knows_any_more_is_dropped(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    _undelivered(rig)

    def refuse(_report: Report) -> None:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB)

    monkeypatch.setattr(rig.uplink, "report", refuse)
    assert _delivery(rig).turn() == NEVER
    assert rig.device.ledger.outbox.waiting() == []


def test_without_reports_there_is_nothing_to_wake_for(rig: Rig) -> None:
    assert _delivery(rig).turn() == NEVER


def test_progress_is_sent_in_one_batch_at_most_once_a_second(rig: Rig) -> None:
    duty = ProgressDuty(rig.progress, rig.uplink, rig.clock)
    assert duty.turn() == NEVER
    ref = rig.new_job()
    rig.run(ref, until=Phase.DETECT)
    assert duty.turn() == pytest.approx(PROGRESS_SECONDS)
    assert rig.uplink.progress_items == []
    rig.clock.advance(timedelta(seconds=PROGRESS_SECONDS))
    assert duty.turn() == NEVER
    assert [item.phase for item in rig.uplink.progress_items] == [Phase.POLL, Phase.METADATA, Phase.DETECT]


def test_a_wait_is_sent_at_once_but_not_twice_in_a_second(rig: Rig) -> None:
    duty = ProgressDuty(rig.progress, rig.uplink, rig.clock)
    wait = Wait(since=rig.clock.now(), at=rig.clock.now(), reason=WaitReason.WINDOW)
    reporter = PhaseReporter(rig.progress, rig.clock, rig.new_job(), Phase.INSTALL, 9)
    reporter.waits(wait)
    assert duty.turn() == NEVER
    assert [item.waiting for item in rig.uplink.progress_items] == [wait]
    reporter.waits(wait)
    assert duty.turn() == pytest.approx(PROGRESS_SECONDS)


def test_a_long_phase_is_told_within_a_second(rig: Rig) -> None:
    duty = ProgressDuty(rig.progress, rig.uplink, rig.clock)
    PhaseReporter(rig.progress, rig.clock, rig.new_job(), Phase.INSTALL, 9).started()
    rig.clock.advance(timedelta(seconds=duty.turn()))
    duty.turn()
    assert [item.phase for item in rig.uplink.progress_items] == [Phase.INSTALL]


def test_a_job_of_quick_phases_sends_its_report_and_nothing_else(rig: Rig) -> None:
    duty, ref = ProgressDuty(rig.progress, rig.uplink, rig.clock), rig.new_job()
    for phase in PHASES:
        rig.engine.run(phase, ref)
        duty.turn()
        rig.clock.advance(timedelta(seconds=PROGRESS_SECONDS / 4))
    assert rig.uplink.progress_items == []
    (report,) = rig.uplink.reports
    assert [record.phase for record in report.phases] == list(PHASES)
    assert duty.turn() == NEVER


def test_progress_that_cannot_be_sent_is_dropped(rig: Rig) -> None:
    rig.run(rig.new_job(), until=Phase.POLL)
    rig.uplink.available = False
    duty = ProgressDuty(rig.progress, rig.uplink, rig.clock)
    rig.clock.advance(timedelta(seconds=PROGRESS_SECONDS))
    assert duty.turn() == NEVER
    assert not rig.progress


def test_what_is_old_is_forgotten_once_a_day(rig: Rig) -> None:
    ref, newest = rig.new_job(), rig.new_job()
    rig.run(ref)
    (log,) = rig.device.folders.installer_logs.iterdir()
    os.utime(log, (rig.clock.now().timestamp(), rig.clock.now().timestamp()))
    duty = PruningDuty(rig.device.ledger, rig.device.folders, rig.clock)
    assert duty.turn() == INTERVAL_SECONDS
    assert log.exists()
    rig.clock.advance(timedelta(seconds=1))
    rig.run(newest, until=Phase.POLL)
    rig.clock.advance(KEPT)
    rig.clock.advance(timedelta(seconds=1))
    duty.turn()
    assert not log.exists()
    assert rig.device.ledger.attempts.findings(ref) is None
    # Less memory than before is how the control plane knows a device that came back from an old image.
    assert rig.device.ledger.attempts.newest_opened_at() is not None
    assert rig.device.ledger.apps.state("editor") is not None


def test_a_check_in_says_how_far_the_memory_goes(rig: Rig) -> None:
    assert message_of(rig.device, CheckInReason.AGENT_RESTART).remembers_until is None
    ref = rig.new_job()
    rig.run(ref, until=Phase.DETECT)
    remembered = message_of(rig.device, CheckInReason.AGENT_RESTART).remembers_until
    assert remembered == rig.device.ledger.attempts.opened_at(ref)
    rig.clock.advance(timedelta(hours=1))
    rig.run(rig.new_job(), until=Phase.POLL)
    assert message_of(rig.device, CheckInReason.AGENT_RESTART).remembers_until == rig.clock.now()
