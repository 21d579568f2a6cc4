"""After failures nothing is executed before its time, while the device is judged and reported all the same."""

from datetime import timedelta
from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.policy import FailureClass, Limits, RetrySchedule
from contract.report import WaitReason
from contract.states import Intent, Outcome
from contract.uplink import GenerationReason
from tests.worker.rig import Rig
from worker.housekeeping.clock_duty import INTERVAL_SECONDS, ClockDuty
from worker.phases.context import Deferred, PhaseContext, PhaseResult
from worker.phases.table import PHASE_FUNCTIONS

pytestmark = pytest.mark.behaviour("2.6 GRS")

HOUR = timedelta(hours=1)


def _fail(rig: Rig, ref: JobRef, exit_code: int = 1) -> JobRef:
    """Let an attempt fail; the next one."""
    (rig.target / "fail").write_text(str(exit_code), encoding="utf-8")
    chain = rig.run(ref)[-1][1].next_chain
    (rig.target / "fail").unlink()
    assert chain is not None
    return chain.ref


def _in_grs(rig: Rig, ref: JobRef) -> JobRef:
    """Let a whole round fail; the attempt that waits."""
    for _ in range(3):
        ref = _fail(rig, ref)
        rig.clock.advance(timedelta(minutes=5))
    return ref


def _phases(rig: Rig, ref: JobRef) -> list[Phase]:
    return [phase for phase, _ in rig.run(ref)]


def _resent(ref: JobRef) -> JobRef:
    return ref.model_copy(update={"generation": ref.generation + 1, "attempt": 1})


def test_a_chain_that_wakes_in_the_wait_judges_and_reports_and_executes_nothing(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    failed = rig.uplink.reports[-1]
    rig.clock.advance(8 * HOUR)
    steps = rig.run(ref)
    assert [phase for phase, _ in steps][-3:] == [Phase.DOWNLOAD, Phase.COMPLIANCE, Phase.REPORT]
    report = rig.uplink.reports[-1]
    assert (report.outcome, report.error) == (Outcome.FAILED, failed.error)
    assert report.next_action is not None
    assert failed.next_action is not None
    assert (report.next_action.at, report.next_action.reason) == (failed.next_action.at, WaitReason.GRS)
    assert "not executed before" in report.phases[-3].summary
    chain = steps[-1][1].next_chain
    assert chain is not None
    assert chain.countdown_seconds == timedelta(hours=8).total_seconds()


def test_after_a_day_in_eight_hour_steps_the_app_is_tried_again(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    rig.clock.advance(8 * HOUR)
    for _ in range(2):
        chain = rig.run(ref)[-1][1].next_chain
        assert chain is not None
        rig.clock.advance(timedelta(seconds=chain.countdown_seconds))
        ref = chain.ref
    rig.run(ref)
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED
    assert rig.device.ledger.holds.get("editor") is None


def test_what_became_as_desired_ends_the_wait(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    (rig.target / "editor").touch()
    rig.run(ref)
    report = rig.uplink.reports[-1]
    assert (report.outcome, report.next_action) == (Outcome.ALREADY_INSTALLED, None)
    assert rig.device.ledger.holds.get("editor") is None


def test_a_generation_the_reconciler_sends_neither_executes_nor_begins_the_wait_anew(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    failed = rig.uplink.reports[-1]
    rig.uplink.reasons[ref.job_id] = GenerationReason.RECONCILER
    assert Phase.INSTALL not in _phases(rig, _resent(ref))
    assert rig.uplink.reports[-1].next_action is not None
    assert failed.next_action is not None
    assert rig.uplink.reports[-1].next_action.at == failed.next_action.at


def test_another_job_of_the_same_revision_is_withheld_as_well(rig: Rig) -> None:
    _in_grs(rig, rig.new_job())
    assert Phase.INSTALL not in _phases(rig, rig.new_job())


def test_retry_now_executes_at_once_and_begins_a_new_round(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    rig.uplink.reasons[ref.job_id] = GenerationReason.OPERATOR
    asked = _resent(ref)
    _fail(rig, asked)
    report = rig.uplink.reports[-1]
    assert report.next_action is not None
    assert report.next_action.reason is WaitReason.RETRY_INTERVAL
    # The same "retry now" does not count for what the reconciler sends after it.
    rig.uplink.reasons[ref.job_id] = GenerationReason.RECONCILER
    assert Phase.INSTALL not in _phases(rig, _resent(asked))


def test_retry_now_that_is_delivered_again_does_not_end_its_own_wait(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    rig.uplink.reasons[ref.job_id] = GenerationReason.OPERATOR
    following = _fail(rig, _resent(ref))
    assert Phase.INSTALL not in _phases(rig, following)


def test_a_new_revision_is_executed_at_once(rig: Rig) -> None:
    _in_grs(rig, rig.new_job())
    rig.run(rig.new_job(revision=2))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


@pytest.mark.behaviour("B-64")
def test_an_available_app_is_not_tried_again_by_itself_but_at_once_when_it_is_asked_for(rig: Rig) -> None:
    ref = rig.new_job(intent=Intent.AVAILABLE)
    for _ in range(2):
        ref = _fail(rig, ref)
        rig.clock.advance(timedelta(minutes=5))
    (rig.target / "fail").write_text("1", encoding="utf-8")
    assert rig.run(ref)[-1][1].next_chain is None
    assert rig.uplink.reports[-1].next_action is None
    (rig.target / "fail").unlink()
    rig.run(rig.new_job(intent=Intent.AVAILABLE))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def test_a_clock_put_right_between_the_verdict_and_the_report_leaves_the_wait_as_it_was_stated(rig: Rig) -> None:
    ref = rig.new_job()
    rig.clock.jump(timedelta(days=1))
    (rig.target / "fail").write_text("1", encoding="utf-8")
    rig.run(ref, until=Phase.COMPLIANCE)
    rig.clock.jump(timedelta(days=-1))
    chain = rig.engine.run(Phase.REPORT, ref).next_chain
    assert chain is not None
    assert chain.countdown_seconds == timedelta(minutes=5).total_seconds()


def test_a_clock_that_was_a_day_ahead_neither_ends_the_grs_nor_makes_it_longer(rig: Rig) -> None:
    rig.clock.jump(timedelta(days=1))
    ref = _in_grs(rig, rig.new_job())
    rig.clock.jump(timedelta(days=-1))
    duty = ClockDuty(rig.device.ledger, rig.clock)
    assert duty.turn() == INTERVAL_SECONDS
    put_right = rig.clock.now()
    hold, state = rig.device.ledger.holds.get("editor"), rig.device.ledger.apps.state("editor")
    assert hold is not None
    assert state is not None
    assert state.next_action is not None
    assert hold.until == state.next_action.at == state.grs_expires_at == put_right + timedelta(days=1)
    rig.clock.advance(timedelta(hours=23))
    duty.turn()
    assert rig.device.ledger.holds.get("editor") == hold
    assert Phase.INSTALL not in _phases(rig, ref)
    rig.clock.advance(HOUR)
    assert Phase.INSTALL in _phases(rig, ref.next_attempt())


def test_a_restart_does_not_end_the_wait(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job())
    rig.restart()
    assert Phase.INSTALL not in _phases(rig, ref)


def test_a_failure_whose_states_are_set_twice_because_of_a_kill_counts_once(rig: Rig) -> None:
    def twice(context: PhaseContext) -> PhaseResult | Deferred:
        PHASE_FUNCTIONS[Phase.COMPLIANCE](context)
        return PHASE_FUNCTIONS[Phase.COMPLIANCE](context)

    rig.functions = {**PHASE_FUNCTIONS, Phase.COMPLIANCE: twice}
    rig.restart()
    _fail(rig, rig.new_job())
    hold = rig.device.ledger.holds.get("editor")
    assert hold is not None
    assert hold.failures == 1


def test_a_failure_of_its_class_follows_the_policys_schedule(rig: Rig) -> None:
    schedules = {FailureClass.INSTALLER: RetrySchedule(first_wait_seconds=60, growth=3)}
    ref = rig.new_job(limits=Limits(max_run_time_seconds=30, schedules=schedules))
    waits = []
    for _ in range(4):
        ref = _fail(rig, ref)
        action = rig.uplink.reports[-1].next_action
        assert action is not None
        assert action.reason is WaitReason.SCHEDULE
        waits.append((action.at - rig.clock.now()).total_seconds())
        rig.clock.advance(timedelta(seconds=waits[-1]))
    assert waits == [60, 180, 540, 1620]


def test_a_job_whose_policy_never_came_waits_like_any_other(rig: Rig) -> None:
    ref = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    policy = rig.publish(ref, expires_at=rig.clock.now())
    assert policy.expires_at == rig.clock.now()
    countdowns = []
    for _ in range(3):
        chain = rig.run(ref)[-1][1].next_chain
        assert chain is not None
        countdowns.append(chain.countdown_seconds)
        rig.clock.advance(timedelta(seconds=chain.countdown_seconds))
        ref = chain.ref
    assert countdowns == [300, 300, 28_800]


def test_somebody_at_the_device_who_asks_again_ends_the_wait_of_the_same_job(rig: Rig) -> None:
    ref = rig.new_job(intent=Intent.AVAILABLE)
    for _ in range(3):
        last, ref = ref, _fail_available(rig, ref)
        rig.clock.advance(timedelta(minutes=5))
    assert rig.uplink.reports[-1].next_action is None
    rig.uplink.reasons[last.job_id] = GenerationReason.RECONCILER
    assert Phase.INSTALL not in _phases(rig, _resent(last))
    rig.uplink.reasons[last.job_id] = GenerationReason.REQUEST
    assert Phase.INSTALL in _phases(rig, _resent(_resent(last)))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def test_somebody_who_asks_for_an_app_ends_the_wait_of_what_it_depends_on(rig: Rig) -> None:
    ref = _in_grs(rig, rig.new_job(intent=Intent.NOT_TARGETED))
    rig.uplink.reasons[ref.job_id] = GenerationReason.REQUEST
    rig.run(_resent(ref))
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def _fail_available(rig: Rig, ref: JobRef) -> JobRef:
    """Let an attempt fail; the next one, or the same where no other follows by itself."""
    (rig.target / "fail").write_text("1", encoding="utf-8")
    chain = rig.run(ref)[-1][1].next_chain
    (rig.target / "fail").unlink()
    return ref if chain is None else chain.ref
