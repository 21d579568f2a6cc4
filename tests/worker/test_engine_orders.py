"""An operator cancels a job that the device has, or stops it: what runs, what waits, and what has not come yet."""

import threading
from datetime import timedelta

import pytest

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.report import WaitReason
from contract.states import EnforcementState, Outcome
from contract.uplink import JobOrder, OrderKind
from deploy.local.polling import wait_until
from tests.worker.rig import Rig
from worker.activity import Activity
from worker.handover import Handover
from worker.housekeeping.orders import OrdersDuty
from worker.phases.context import Deferred, PhaseContext, PhaseResult
from worker.phases.table import PHASE_FUNCTIONS

SECONDS = 60


def _order(rig: Rig, ref: JobRef, kind: OrderKind = OrderKind.CANCEL) -> None:
    order = JobOrder(job_id=ref.job_id, generation=ref.generation, kind=kind)
    OrdersDuty(rig.device, Activity(rig.clock)).take([order])


def _rest(rig: Rig, ref: JobRef, phase: Phase | None) -> list[Phase]:
    ran = []
    while phase is not None:
        ran.append(phase)
        phase = rig.engine.run(phase, ref).go_on_at
    return ran


def _delivered(rig: Rig) -> list[Outcome]:
    waiting = [undelivered.report.outcome for undelivered in rig.device.ledger.outbox.waiting()]
    return [report.outcome for report in rig.uplink.reports] + waiting


@pytest.mark.parametrize("phase", PHASES[: Phase.INSTALL.position - 1])
def test_a_job_under_way_ends_before_its_next_phase_and_says_so(rig: Rig, phase: Phase) -> None:
    ref = rig.new_job()
    rig.run(ref, until=phase)
    _order(rig, ref)
    assert phase.follower is not None
    assert _rest(rig, ref, phase.follower) == [phase.follower, Phase.COMPLIANCE, Phase.REPORT]
    (report,) = rig.uplink.reports
    assert (report.outcome, report.next_action, report.error) == (Outcome.CANCELLED, None, None)
    assert report.enforcement_state is EnforcementState.NOT_ATTEMPTED
    assert rig.installs() == 0


def test_a_job_whose_command_has_run_is_judged_and_told_as_it_is(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.INSTALL)
    _order(rig, ref)
    _rest(rig, ref, Phase.CONFIRM)
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def test_a_cancelled_attempt_that_fails_is_not_tried_again(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    rig.run(ref, until=Phase.INSTALL)
    _order(rig, ref)
    rig.engine.run(Phase.COMPLIANCE, ref)
    assert rig.engine.run(Phase.REPORT, ref) == Handover()
    report = rig.uplink.reports[-1]
    assert (report.outcome, report.next_action) == (Outcome.CANCELLED, None)
    assert report.enforcement_state is EnforcementState.ERROR


def test_a_job_cancelled_before_it_came_reports_that_when_it_comes(rig: Rig) -> None:
    ref = rig.new_job()
    _order(rig, ref)
    assert [phase for phase, _ in rig.run(ref)] == [Phase.POLL, Phase.COMPLIANCE, Phase.REPORT]
    assert _delivered(rig) == [Outcome.CANCELLED]


def test_a_newer_generation_is_not_concerned(rig: Rig) -> None:
    ref = rig.new_job()
    _order(rig, ref)
    rig.run(ref.model_copy(update={"generation": 2}))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def test_a_job_that_waits_for_its_next_attempt_ends_at_once_and_its_chain_is_void(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    chain = rig.run(ref)[-1][1].next_chain
    assert chain is not None
    _order(rig, ref)
    _order(rig, ref)
    assert _delivered(rig) == [Outcome.FAILED, Outcome.CANCELLED]
    state = rig.device.ledger.apps.state("editor")
    assert state is not None
    assert (state.outcome, state.next_action) == (Outcome.CANCELLED, None)
    rig.clock.advance(timedelta(seconds=chain.countdown_seconds))
    assert rig.run(chain.ref) == [(Phase.POLL, Handover())]
    assert _delivered(rig) == [Outcome.FAILED, Outcome.CANCELLED]


def test_a_job_that_waits_inside_a_phase_ends_at_once_and_its_message_is_void(rig: Rig) -> None:
    def waits(_context: PhaseContext) -> PhaseResult | Deferred:
        return Deferred(WaitReason.RESTART_PENDING, 3600)

    rig.functions = {**PHASE_FUNCTIONS, Phase.DETECT: waits}
    rig.restart()
    ref = rig.new_job()
    rig.run(ref)
    _order(rig, ref)
    assert _delivered(rig) == [Outcome.CANCELLED]
    assert rig.device.ledger.attempts.running() == []
    assert rig.engine.run(Phase.DETECT, ref, turn=1) == Handover()


def test_a_stop_ends_a_running_installer_with_what_it_started(rig: Rig) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    running = threading.Thread(target=rig.engine.run, args=(Phase.INSTALL, ref))
    running.start()
    assert wait_until(lambda: _pid(rig) is not None, seconds=SECONDS)
    _order(rig, ref, OrderKind.STOP)
    running.join(SECONDS)
    assert not running.is_alive()
    _rest(rig, ref, Phase.COMPLIANCE)
    report = rig.uplink.reports[-1]
    assert report.error is not None
    assert (report.outcome, report.error.code) == (Outcome.CANCELLED, ErrorCode.INSTALLER_STOPPED.slug)
    assert (report.enforcement_state, report.next_action) == (EnforcementState.ERROR, None)
    assert rig.installs() == 0


def _pid(rig: Rig) -> int | None:
    run = rig.device.ledger.installs.unfinished("editor")
    return None if run is None else run.pid


def test_a_cancel_leaves_a_running_installer_alone(rig: Rig) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    running = threading.Thread(target=rig.engine.run, args=(Phase.INSTALL, ref))
    running.start()
    assert wait_until(lambda: _pid(rig) is not None, seconds=SECONDS)
    _order(rig, ref)
    running.join(2)
    assert running.is_alive()
    (rig.target / "hold").unlink()
    running.join(SECONDS)
    _rest(rig, ref, Phase.CONFIRM)
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED
