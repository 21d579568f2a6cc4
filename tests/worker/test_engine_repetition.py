"""Messages that come twice, agents that are killed, generations that are void, attempts that follow."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import psutil
import pytest

from contract.error_codes import ErrorCode
from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.policy import Limits
from contract.report import PhaseOutcome, Progress, Report, WaitReason
from contract.states import EnforcementState, Outcome
from deploy.local.polling import wait_until
from tests.worker.rig import Rig
from worker.handover import Handover
from worker.housekeeping.delivery import DeliveryDuty
from worker.installation.command import mark
from worker.phases.context import PhaseContext, PhaseResult
from worker.phases.report import OWN_TRY
from worker.phases.table import PHASE_FUNCTIONS
from worker.processes.mark import MARK
from worker.rules.backoff import MAX_TRIES


@pytest.mark.parametrize("phase", PHASES)
def test_a_phase_delivered_again_to_the_same_agent_is_neither_repeated_nor_handed_on(rig: Rig, phase: Phase) -> None:
    ref = rig.new_job()
    rig.run(ref, until=phase)
    before = rig.device.ledger.attempts.records(ref)
    assert rig.engine.run(phase, ref) == Handover()
    assert rig.device.ledger.attempts.records(ref) == before


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_after_a_kill_an_ended_phase_hands_on_again_without_being_repeated(rig: Rig, phase: Phase) -> None:
    ref = rig.new_job()
    rig.run(ref, until=phase)
    before = rig.device.ledger.attempts.records(ref)
    rig.restart()
    assert rig.engine.run(phase, ref) == Handover(go_on_at=phase.follower)
    assert rig.device.ledger.attempts.records(ref) == before
    assert rig.engine.run(phase, ref) == Handover()


@pytest.mark.parametrize("phase", PHASES[:-2])
def test_a_late_duplicate_is_dropped_once_its_successor_was_seen(rig: Rig, phase: Phase) -> None:
    ref = rig.new_job()
    rig.run(ref, until=phase.follower)
    rig.restart()
    assert rig.engine.run(phase, ref) == Handover()


@pytest.mark.parametrize("phase", PHASES)
def test_a_job_goes_on_where_a_kill_stopped_it_and_installs_once(rig: Rig, phase: Phase) -> None:
    ref = rig.new_job()
    rig.run(ref, until=phase)
    rig.restart()
    follower: Phase | None = phase
    while follower is not None:
        follower = rig.engine.run(follower, ref).go_on_at
    assert rig.installs() == 1
    assert {report.outcome for report in rig.uplink.reports} == {Outcome.INSTALLED}


def test_a_phase_that_nobody_handed_on_to_is_void(rig: Rig) -> None:
    ref = rig.new_job()
    assert rig.engine.run(Phase.INSTALL, ref) == Handover()
    rig.run(ref, until=Phase.METADATA)
    assert rig.engine.run(Phase.INSTALL, ref) == Handover()
    assert rig.installs() == 0


def test_an_older_generation_is_void_wherever_it_stands(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    newer = ref.model_copy(update={"generation": 2})
    rig.run(newer, until=Phase.POLL)
    assert rig.engine.run(Phase.INSTALL, ref) == Handover()
    assert rig.engine.run(Phase.POLL, ref) == Handover()
    assert rig.installs() == 0
    rig.run(newer.next_attempt())
    assert rig.installs() == 1


def test_an_older_generation_stays_void_after_a_restart(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref.model_copy(update={"generation": 3}))
    rig.restart()
    assert rig.engine.run(Phase.POLL, ref) == Handover()


def test_an_older_attempt_is_void(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref.next_attempt(), until=Phase.POLL)
    assert rig.engine.run(Phase.POLL, ref) == Handover()


def test_a_job_the_control_plane_no_longer_knows_ends_without_a_report(rig: Rig) -> None:
    ref = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    steps = rig.run(ref)
    assert [phase for phase, _ in steps] == [Phase.POLL, Phase.METADATA]
    assert rig.uplink.reports == []
    assert rig.device.ledger.attempts.records(ref)[-1].outcome is PhaseOutcome.VOID
    assert rig.engine.run(Phase.DETECT, ref) == Handover()


def _fail(rig: Rig, ref: JobRef) -> Handover:
    return rig.run(ref)[-1][1]


@pytest.mark.behaviour("B-56", "B-58")
def test_three_attempts_then_a_day_in_three_looks_then_again_in_the_same_generation(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    countdowns = []
    for _ in range(6):
        chain = _fail(rig, ref).next_chain
        assert chain is not None
        countdowns.append(chain.countdown_seconds)
        rig.clock.advance(timedelta(seconds=chain.countdown_seconds))
        ref = chain.ref
    assert countdowns == [300, 300, 28_800, 28_800, 28_800, 300]
    assert (ref.generation, ref.attempt) == (1, 7)
    assert [report.attempt for report in rig.uplink.reports] == [1, 2, 3, 4, 5, 6]
    actions = [report.next_action for report in rig.uplink.reports if report.next_action]
    interval, grs = WaitReason.RETRY_INTERVAL, WaitReason.GRS
    assert [action.reason for action in actions] == [interval, interval, grs, grs, grs, interval]
    assert len({action.at for action in actions if action.reason is grs}) == 1
    (rig.target / "fail").unlink()
    rig.run(ref)
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED


def test_each_attempt_judges_the_device_anew(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    _fail(rig, ref)
    (rig.target / "editor").touch()
    rig.run(ref.next_attempt())
    assert rig.uplink.reports[-1].outcome is Outcome.ALREADY_INSTALLED


def test_a_report_delivered_again_sends_the_next_attempt_with_what_is_left_of_its_wait(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    _fail(rig, ref)
    rig.restart()
    rig.clock.advance(timedelta(seconds=100))
    chain = rig.engine.run(Phase.REPORT, ref).next_chain
    assert chain is not None
    assert (chain.ref, chain.countdown_seconds) == (ref.next_attempt(), 200)


def test_a_next_attempt_that_was_seen_is_not_sent_again(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job()
    _fail(rig, ref)
    rig.engine.run(Phase.POLL, ref.next_attempt())
    rig.restart()
    assert rig.engine.run(Phase.REPORT, ref) == Handover()


def test_the_numbers_of_a_known_policy_hold_also_where_it_cannot_be_fetched_anew(rig: Rig) -> None:
    (rig.target / "fail").write_text("1", encoding="utf-8")
    ref = rig.new_job(limits=Limits(attempts=9, retry_interval_seconds=7))
    _fail(rig, ref)
    rig.clock.advance(timedelta(days=40))
    chain = _fail(rig, ref.next_attempt()).next_chain
    report = rig.uplink.reports[-1]
    assert report.error is not None
    assert report.error.code == ErrorCode.POLICY_EXPIRED.slug
    assert report.app_name == "Editor"
    assert chain is not None
    assert chain.countdown_seconds == 7


# --- faults inside a phase ---


def test_a_silent_control_plane_repeats_the_phase_alone_with_growing_waits(rig: Rig) -> None:
    ref = rig.new_job()
    rig.uplink.available = False
    rig.engine.run(Phase.POLL, ref)
    waits = [rig.engine.run(Phase.METADATA, ref, turn=turn).retry_in_seconds for turn in range(3)]
    assert waits == [2, 4, 8]
    rig.uplink.available = True
    assert rig.engine.run(Phase.METADATA, ref, turn=3).go_on_at is Phase.DETECT


def test_a_control_plane_that_stays_silent_fails_the_attempt_at_last(rig: Rig) -> None:
    ref = rig.new_job()
    rig.uplink.available = False
    rig.engine.run(Phase.POLL, ref)
    handovers = [rig.engine.run(Phase.METADATA, ref, turn=turn) for turn in range(MAX_TRIES)]
    assert handovers[-1] == Handover(go_on_at=Phase.COMPLIANCE)
    assert all(handover.retry_in_seconds for handover in handovers[:-1])
    rig.engine.run(Phase.COMPLIANCE, ref)
    chain = rig.engine.run(Phase.REPORT, ref).next_chain
    assert chain is not None
    assert chain.ref == ref.next_attempt()
    (waiting,) = rig.device.ledger.outbox.waiting()
    assert waiting.report.error is not None
    assert waiting.report.error.code == ErrorCode.POLICY_UNAVAILABLE.slug


def test_a_report_that_cannot_be_delivered_waits_and_the_job_ends(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.COMPLIANCE)
    rig.uplink.available = False
    assert rig.engine.run(Phase.REPORT, ref) == Handover()
    (waiting,) = rig.device.ledger.outbox.waiting()
    assert waiting.report.outcome is Outcome.INSTALLED
    assert rig.device.ledger.attempts.running() == []


@pytest.mark.behaviour("B-65")
def test_a_defect_in_a_phase_ends_the_attempt_not_the_agent(rig: Rig) -> None:
    def broken(_context: PhaseContext) -> PhaseResult:
        raise KeyError("missing")

    rig.functions = {**PHASE_FUNCTIONS, Phase.DETECT: broken}
    rig.restart()
    rig.run(rig.new_job())
    error = rig.uplink.reports[-1].error
    assert error is not None
    assert (error.code, error.phase) == (ErrorCode.CLIENT_ERROR.slug, Phase.DETECT)
    assert "KeyError" in error.detail


def test_a_ledger_that_cannot_be_written_means_later_not_never(rig: Rig) -> None:
    ref = rig.new_job()
    rig.device.ledger.close()
    assert rig.engine.run(Phase.POLL, ref).retry_in_seconds
    rig.start()
    assert rig.engine.run(Phase.POLL, ref).go_on_at is Phase.METADATA


def test_every_phase_is_told_while_it_runs_and_when_it_has_ended(rig: Rig) -> None:
    told = _told_at_once(rig)
    rig.run(rig.new_job())
    but_the_last = list(PHASES[:-1])
    assert [item.phase for item in told if item.record is None and not item.bytes_done] == but_the_last
    assert [item.phase for item in told if item.record is not None] == but_the_last
    sequences = [item.sequence for item in told]
    assert sequences == sorted(set(sequences))


def test_the_report_says_all_of_a_quick_job_and_progress_nothing(rig: Rig) -> None:
    rig.run(rig.new_job())
    (report,) = rig.uplink.reports
    assert [record.phase for record in report.phases] == list(PHASES)
    assert rig.progress.drain() == ()


def test_nothing_of_an_attempt_waits_to_be_told_while_its_report_is_sent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[float | None] = []
    monkeypatch.setattr(rig.uplink, "report", lambda _report: waiting.append(rig.progress.due_at()))
    rig.run(rig.new_job())
    assert waiting == [None]


def test_a_report_that_is_being_sent_is_not_sent_by_the_other_thread_as_well(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_thread = DeliveryDuty(rig.device.ledger.outbox, rig.uplink, rig.clock)
    sent: list[Report] = []

    def send(report: Report) -> None:
        sent.append(report)
        if len(sent) == 1:
            other_thread.turn()

    monkeypatch.setattr(rig.uplink, "report", send)
    rig.run(rig.new_job())
    assert len(sent) == 1
    assert rig.device.ledger.outbox.waiting() == []


def test_a_report_whose_sender_died_is_sent_by_the_other_thread_in_the_end(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_report: Report) -> None:
        raise SystemExit

    ref = rig.new_job()
    rig.run(ref, until=Phase.COMPLIANCE)
    with monkeypatch.context() as patched:
        patched.setattr(rig.uplink, "report", die)
        with pytest.raises(SystemExit):
            rig.engine.run(Phase.REPORT, ref)
    rig.restart()
    other_thread = DeliveryDuty(rig.device.ledger.outbox, rig.uplink, rig.clock)
    assert 0 < other_thread.turn() <= OWN_TRY.total_seconds()
    rig.clock.advance(OWN_TRY)
    other_thread.turn()
    assert [report.job_id for report in rig.uplink.reports] == [ref.job_id]
    assert rig.device.ledger.outbox.waiting() == []


def test_the_other_thread_looks_at_what_came_of_an_attempt(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.COMPLIANCE)
    undelivered: list[int] = []
    rig.progress.on_news = lambda: undelivered.append(len(rig.device.ledger.outbox.waiting()))
    rig.uplink.available = False
    rig.engine.run(Phase.REPORT, ref)
    assert undelivered == [1]


def _told_at_once(rig: Rig) -> list[Progress]:
    told: list[Progress] = []
    rig.progress.on_news = lambda: told.extend(rig.progress.drain())
    return told


def test_progress_numbers_grow_also_over_a_restart(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.DETECT)
    before = max(item.sequence for item in rig.progress.drain())
    rig.restart()
    rig.engine.run(Phase.APPLICABILITY, ref)
    assert min(item.sequence for item in rig.progress.drain()) > before


# --- an installer that outlives its agent ---


@contextmanager
def _running_installer(rig: Rig, ref: JobRef, *, noted: bool) -> Iterator[psutil.Popen]:
    """What an agent leaves that was killed while its installer ran: the ledger's entry, and the process."""
    rig.run(ref, until=Phase.UNPACK)
    attempts, installs = rig.device.ledger.attempts, rig.device.ledger.installs
    attempts.begin(Phase.INSTALL, ref, now=rig.clock.now())
    installs.starting(ref, "editor", now=rig.clock.now())
    process = psutil.Popen(
        ["sh", str(rig.device.folders.content(rig.policy()) / "install.sh")],
        cwd=rig.device.folders.content(rig.policy()),
        env=rig.device.environment.variables(**{MARK: mark(ref)}),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    if noted:
        installs.started(ref, pid=process.pid, create_time=process.create_time())
    rig.restart()
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(10)


@pytest.mark.parametrize("noted", [True, False])
def test_an_installer_that_still_runs_is_waited_for_and_not_started_again(rig: Rig, noted: bool) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job()
    with _running_installer(rig, ref, noted=noted):
        release = psutil.Popen(["sh", "-c", f"sleep 0.5; rm {rig.target}/hold"])
        handover = rig.engine.run(Phase.INSTALL, ref)
        release.wait(10)
    assert handover.go_on_at is Phase.CONFIRM
    assert rig.installs() == 1
    rig.engine.run(Phase.CONFIRM, ref)
    rig.engine.run(Phase.COMPLIANCE, ref)
    rig.engine.run(Phase.REPORT, ref)
    report = rig.uplink.reports[-1]
    assert report.outcome is Outcome.INSTALLED
    assert report.raw_exit_code is None
    assert "exit code is unknown" in report.phases[7].summary


def test_an_installer_that_ended_meanwhile_is_judged_by_detection(rig: Rig) -> None:
    ref = rig.new_job()
    with _running_installer(rig, ref, noted=True) as process:
        process.wait(10)
        assert rig.engine.run(Phase.INSTALL, ref).go_on_at is Phase.CONFIRM
    assert rig.installs() == 1


def test_an_installer_that_was_cut_off_counts_as_an_attempt_and_the_next_one_follows_at_once(rig: Rig) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job()
    with _running_installer(rig, ref, noted=True) as process:
        process.kill()
        process.wait(10)
        assert rig.engine.run(Phase.INSTALL, ref).go_on_at is Phase.COMPLIANCE
    (rig.target / "hold").unlink()
    rig.engine.run(Phase.COMPLIANCE, ref)
    chain = rig.engine.run(Phase.REPORT, ref).next_chain
    report = rig.uplink.reports[-1]
    assert report.error is not None
    assert report.error.code == ErrorCode.INSTALLER_INTERRUPTED.slug
    assert report.enforcement_state is EnforcementState.ERROR_WITH_IMMEDIATE_RETRY
    assert chain is not None
    assert (chain.ref.attempt, chain.countdown_seconds) == (2, 0)
    rig.run(chain.ref)
    assert rig.uplink.reports[-1].outcome is Outcome.INSTALLED
    assert rig.installs() == 1


def test_an_installer_found_again_has_no_more_time_than_any_other(rig: Rig) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job()
    with _running_installer(rig, ref, noted=True) as process:
        rig.clock.advance(timedelta(hours=1))
        rig.engine.run(Phase.INSTALL, ref)
        assert wait_until(lambda: process.poll() is not None, seconds=10)
    error = rig.device.ledger.attempts.findings(ref)
    assert error is not None
    assert error.error is not None
    assert error.error.code == ErrorCode.INSTALLER_TIMEOUT.slug


def test_a_newer_generation_waits_for_an_older_ones_installer_instead_of_starting_a_second(rig: Rig) -> None:
    (rig.target / "hold").touch()
    ref = rig.new_job()
    newer = ref.model_copy(update={"generation": 2})
    with _running_installer(rig, ref, noted=True):
        rig.run(newer, until=Phase.METADATA)
        release = psutil.Popen(["sh", "-c", f"sleep 0.5; rm {rig.target}/hold"])
        assert rig.engine.run(Phase.DETECT, newer).go_on_at is Phase.COMPLIANCE
        release.wait(10)
    assert rig.installs() == 1
    assert rig.engine.run(Phase.INSTALL, ref) == Handover()


def test_an_exit_code_that_was_noted_before_the_kill_is_not_asked_for_again(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    rig.device.ledger.attempts.begin(Phase.INSTALL, ref, now=rig.clock.now())
    rig.device.ledger.installs.starting(ref, "editor", now=rig.clock.now())
    rig.device.ledger.installs.ended(ref, exit_code=9, now=rig.clock.now())
    rig.restart()
    assert rig.engine.run(Phase.INSTALL, ref).go_on_at is Phase.COMPLIANCE
    findings = rig.device.ledger.attempts.findings(ref)
    assert findings is not None
    assert findings.raw_exit_code == 9
    assert rig.installs() == 0


def test_after_a_kill_the_content_key_is_asked_for_again(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.DOWNLOAD)
    assert rig.uplink.asked_for_content == 1
    rig.restart()
    assert rig.engine.run(Phase.UNPACK, ref).go_on_at is Phase.INSTALL
    assert rig.uplink.asked_for_content == 2


def test_the_content_key_is_nowhere_on_disk(rig: Rig) -> None:
    ref = rig.new_job()
    rig.run(ref, until=Phase.UNPACK)
    for path in rig.device.folders.state.rglob("*"):
        if path.is_file():
            assert rig.content.key not in path.read_bytes()
