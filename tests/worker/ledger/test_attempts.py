from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.report import NextAction, PhaseOutcome, PhaseRecord, Wait, WaitReason
from worker.findings import Findings
from worker.ledger.attempts import PhaseEnd, PhaseStart
from worker.ledger.ledger import Ledger
from worker.rules.admission import Standing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REF = JobRef(job_id=str(uuid4()), generation=2, attempt=1)


def _begin(ledger: Ledger, phase: Phase, ref: JobRef = REF, at: datetime = NOW) -> PhaseStart:
    start = ledger.attempts.begin(phase, ref, now=at)
    assert start is not None
    return start


def _end(ledger: Ledger, phase: Phase, follower: Phase | None, *, ref: JobRef = REF, **found: object) -> None:
    record = PhaseRecord(phase=phase, outcome=PhaseOutcome.DONE, started_at=NOW, ended_at=NOW, duration_seconds=0)
    findings = Findings().model_copy(update=found)
    ledger.attempts.end(ref, PhaseEnd(record, follower), findings, closes=follower is None)


def test_nothing_is_known_of_a_new_job(ledger: Ledger) -> None:
    assert ledger.attempts.standing(Phase.POLL, REF) == Standing()
    assert ledger.attempts.findings(REF) is None
    assert ledger.attempts.records(REF) == ()


def test_a_phase_that_began_is_known_with_its_generation_and_attempt(ledger: Ledger) -> None:
    start = _begin(ledger, Phase.POLL, at=NOW)
    assert (start.failures, start.starts, start.findings) == (0, 1, Findings())
    expected = Standing(newest_generation=2, newest_attempt=1, begun=True)
    assert ledger.attempts.standing(Phase.POLL, REF) == expected
    assert ledger.attempts.opened_at(REF) == NOW


def test_starts_of_the_attempt_are_counted(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.POLL, REF, now=NOW)
    ledger.attempts.begin(Phase.METADATA, REF, now=NOW)
    start = _begin(ledger, Phase.METADATA, at=NOW)
    assert (start.failures, start.starts) == (0, 3)


def test_a_phase_that_waits_is_known_with_reason_and_time_until_it_begins_again(ledger: Ledger) -> None:
    wait = Wait(
        since=NOW, at=NOW + timedelta(minutes=5), reason=WaitReason.RESTART_PENDING, detail="asked for by Editor"
    )
    ledger.attempts.begin(Phase.DETECT, REF, now=NOW)
    ledger.attempts.defer(Phase.DETECT, REF, wait, turn=1, failed=False)
    assert ledger.attempts.wait(Phase.DETECT, REF) == wait
    assert [running.wait for running in ledger.attempts.running()] == [wait]
    assert ledger.attempts.standing(Phase.DETECT, REF).turn == 1
    start = _begin(ledger, Phase.DETECT, at=NOW + timedelta(minutes=5))
    assert start.failures == 0
    assert ledger.attempts.wait(Phase.DETECT, REF) is None


def test_only_waits_for_a_part_that_does_not_answer_count_as_failures(ledger: Ledger) -> None:
    wait = Wait(since=NOW, at=NOW, reason=WaitReason.UNAVAILABLE)
    ledger.attempts.begin(Phase.METADATA, REF, now=NOW)
    ledger.attempts.defer(Phase.METADATA, REF, wait, turn=1, failed=True)
    assert _begin(ledger, Phase.METADATA).failures == 1


def test_a_result_and_the_findings_are_kept_together(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.POLL, REF, now=NOW)
    _end(ledger, Phase.POLL, Phase.METADATA, app_name="Editor")
    ended = ledger.attempts.ended(Phase.POLL, REF)
    assert ended is not None
    assert ended.hands_on_to is Phase.METADATA
    assert _begin(ledger, Phase.METADATA).findings.app_name == "Editor"
    assert ledger.attempts.standing(Phase.METADATA, REF).handed_on
    assert not ledger.attempts.standing(Phase.INSTALL, REF).handed_on


def test_the_newest_generation_is_never_forgotten(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.POLL, REF, now=NOW)
    older = REF.model_copy(update={"generation": 1})
    ledger.attempts.begin(Phase.POLL, older, now=NOW)
    assert ledger.attempts.standing(Phase.POLL, older).newest_generation == 2


def test_records_come_in_the_order_of_the_phases(ledger: Ledger) -> None:
    for phase in reversed(PHASES):
        ledger.attempts.begin(phase, REF, now=NOW)
        _end(ledger, phase, Phase.REPORT)
    assert [record.phase for record in ledger.attempts.records(REF)] == list(PHASES)


def test_what_is_under_way_is_shown_with_the_phase_that_began_last(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.POLL, REF, now=NOW)
    ledger.attempts.begin(Phase.METADATA, REF, now=NOW + timedelta(seconds=1))
    (running,) = ledger.attempts.running()
    ref, phase = running.ref, running.phase
    assert (ref, phase) == (REF, Phase.METADATA)


def test_closed_attempts_and_older_generations_are_not_under_way(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.REPORT, REF, now=NOW)
    _end(ledger, Phase.REPORT, None)
    ledger.attempts.begin(Phase.POLL, REF.model_copy(update={"generation": 1}), now=NOW)
    assert ledger.attempts.running() == []


def test_old_attempts_are_forgotten_but_not_their_generation(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.POLL, REF, now=NOW)
    ledger.installs.starting(REF, "editor", now=NOW)
    newer = REF.next_attempt()
    ledger.attempts.begin(Phase.POLL, newer, now=NOW + timedelta(days=1))
    ledger.attempts.prune(NOW + timedelta(hours=1))
    assert ledger.attempts.findings(REF) is None
    assert ledger.installs.run(REF) is None
    assert ledger.attempts.findings(newer) is not None
    assert ledger.attempts.standing(Phase.POLL, newer).newest_generation == 2


def test_an_attempt_under_way_is_remembered_however_old_it_is(ledger: Ledger) -> None:
    _wait(ledger)
    other = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    ledger.attempts.begin(Phase.POLL, other, now=NOW + timedelta(days=400))
    ledger.attempts.prune(NOW + timedelta(days=300))
    (waiting,) = [running for running in ledger.attempts.running() if running.ref == REF]
    assert waiting.wait is not None
    assert ledger.attempts.standing(Phase.DETECT, REF).turn == 1


def test_a_job_is_forgotten_with_its_last_attempt(ledger: Ledger) -> None:
    ledger.attempts.begin(Phase.REPORT, REF, now=NOW)
    _end(ledger, Phase.REPORT, None)
    other = JobRef(job_id=str(uuid4()), generation=1, attempt=1)
    ledger.attempts.begin(Phase.POLL, other, now=NOW + timedelta(days=2))
    ledger.attempts.prune(NOW)
    assert ledger.attempts.standing(Phase.POLL, REF).newest_generation == REF.generation
    ledger.attempts.prune(NOW + timedelta(days=1))
    assert ledger.attempts.standing(Phase.POLL, REF).newest_generation == 0


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_can_be_remembered(ledger: Ledger, phase: Phase) -> None:
    ledger.attempts.begin(phase, REF, now=NOW)
    _end(ledger, phase, phase.follower)
    assert ledger.attempts.standing(phase, REF).ended


_RESTART = Wait(since=NOW, at=NOW, reason=WaitReason.RESTART_PENDING)


def _wait(ledger: Ledger) -> None:
    _begin(ledger, Phase.DETECT)
    ledger.attempts.defer(Phase.DETECT, REF, _RESTART, turn=1, failed=False)


def test_an_attempt_that_waits_in_a_phase_is_closed_for_good(ledger: Ledger) -> None:
    _wait(ledger)
    closed = ledger.attempts.close_waiting(REF.job_id, REF.generation, now=NOW)
    assert closed is not None
    assert closed[0] == REF
    assert ledger.attempts.begin(Phase.DETECT, REF, now=NOW) is None
    assert ledger.attempts.close_waiting(REF.job_id, REF.generation, now=NOW) is None


def test_an_attempt_that_waits_for_its_time_is_closed_before_it_begins(ledger: Ledger) -> None:
    action = NextAction(since=NOW, at=NOW, reason=WaitReason.GRS, generation=REF.generation, attempt=REF.attempt + 1)
    _begin(ledger, Phase.REPORT)
    _end(ledger, Phase.REPORT, None, next_action=action)
    closed = ledger.attempts.close_waiting(REF.job_id, REF.generation, now=NOW)
    assert closed is not None
    assert closed[0] == REF.next_attempt()
    assert ledger.attempts.begin(Phase.POLL, REF.next_attempt(), now=NOW) is None


def test_an_attempt_that_runs_or_is_of_a_newer_generation_or_over_is_left_alone(ledger: Ledger) -> None:
    assert ledger.attempts.close_waiting(REF.job_id, REF.generation, now=NOW) is None
    _wait(ledger)
    assert ledger.attempts.close_waiting(REF.job_id, REF.generation - 1, now=NOW) is None
    _begin(ledger, Phase.DETECT)
    assert ledger.attempts.close_waiting(REF.job_id, REF.generation, now=NOW) is None
    _end(ledger, Phase.DETECT, None)
    assert ledger.attempts.close_waiting(REF.job_id, REF.generation, now=NOW) is None
