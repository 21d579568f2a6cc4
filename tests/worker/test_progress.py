from datetime import timedelta

from contract.jobs import JobRef
from contract.phases import PHASES, Phase
from contract.report import PhaseOutcome, PhaseRecord, Progress, Wait, WaitReason
from tests.worker.rig import START, Rig
from worker.progress import INTERVAL_SECONDS, MAX_WAITING, QUICK_PHASES_SECONDS, PhaseReporter, ProgressQueue

REF = JobRef(job_id="12345678-1234-1234-1234-123456789abc", generation=1, attempt=1)

RECORD = PhaseRecord(
    phase=Phase.DOWNLOAD, outcome=PhaseOutcome.DONE, started_at=START, ended_at=START, duration_seconds=1, bytes_done=5
)


def _reporter(
    rig: Rig, queue: ProgressQueue, *, ref: JobRef = REF, phase: Phase = Phase.DOWNLOAD, starts: int = 1
) -> PhaseReporter:
    return PhaseReporter(queue, rig.clock, ref, phase, starts)


def test_bytes_are_told_at_most_once_a_second_and_at_the_end(rig: Rig) -> None:
    seen: list[Progress] = []
    queue = ProgressQueue()
    queue.on_news = lambda: seen.extend(queue.drain())
    reporter = _reporter(rig, queue)
    for done in range(0, 101, 10):
        reporter.on_bytes(done, 100)
        rig.clock.advance(timedelta(seconds=INTERVAL_SECONDS / 2))
    assert [item.bytes_done for item in seen] == [0, 20, 40, 60, 80, 100]
    assert {item.bytes_total for item in seen} == {100}


def test_a_newer_one_replaces_an_older_one_that_waits(rig: Rig) -> None:
    queue = ProgressQueue()
    reporter = _reporter(rig, queue)
    for done in (10, 20, 30):
        rig.clock.advance(timedelta(seconds=1))
        reporter.on_bytes(done, 100)
    (item,) = queue.drain()
    assert item.bytes_done == 30
    assert not queue
    assert queue.drain() == ()


def test_the_end_of_a_phase_is_all_that_is_told_of_a_quick_one(rig: Rig) -> None:
    queue = ProgressQueue()
    reporter = _reporter(rig, queue)
    reporter.started()
    reporter.on_bytes(5, 10)
    reporter.ended(RECORD)
    (item,) = queue.drain()
    assert item.record == RECORD


def test_the_first_word_waits_and_newer_ones_do_not_put_it_off(rig: Rig) -> None:
    queue, began = ProgressQueue(), rig.clock.monotonic()
    reporter = _reporter(rig, queue)
    assert queue.due_at() is None
    reporter.started()
    rig.clock.advance(timedelta(seconds=INTERVAL_SECONDS / 2))
    reporter.ended(RECORD)
    assert queue.due_at() == began + INTERVAL_SECONDS


def test_what_a_quick_phase_has_to_tell_waits_for_one_that_lasts(rig: Rig) -> None:
    queue = ProgressQueue()
    quick = _reporter(rig, queue)
    quick.started()
    rig.clock.advance(timedelta(seconds=INTERVAL_SECONDS / 2))
    quick.ended(RECORD)
    _reporter(rig, queue, phase=Phase.INSTALL).started()
    assert queue.due_at() == rig.clock.monotonic() + INTERVAL_SECONDS
    assert [item.phase for item in queue.drain()] == [Phase.DOWNLOAD, Phase.INSTALL]


def test_quick_phases_are_told_some_seconds_after_the_first_of_them(rig: Rig) -> None:
    queue, began = ProgressQueue(), rig.clock.monotonic()
    for phase in PHASES:
        _reporter(rig, queue, phase=phase).started()
        rig.clock.advance(timedelta(seconds=INTERVAL_SECONDS / 2))
    assert queue.due_at() == began + QUICK_PHASES_SECONDS


def test_a_quick_phase_puts_no_wait_off(rig: Rig) -> None:
    queue, began = ProgressQueue(), rig.clock.monotonic()
    _reporter(rig, queue).waits(Wait(since=START, at=START, reason=WaitReason.WINDOW))
    rig.clock.advance(timedelta(seconds=INTERVAL_SECONDS / 2))
    _reporter(rig, queue, ref=REF.next_attempt()).started()
    assert queue.due_at() == began


def test_a_wait_is_to_be_told_at_once(rig: Rig) -> None:
    queue = ProgressQueue()
    reporter = _reporter(rig, queue)
    reporter.started()
    reporter.waits(Wait(since=START, at=START, reason=WaitReason.WINDOW))
    assert queue.due_at() == rig.clock.monotonic()


def test_the_other_thread_is_woken_for_the_first_word_and_for_waits_only(rig: Rig) -> None:
    woken: list[None] = []
    queue = ProgressQueue(lambda: woken.append(None))
    reporter = _reporter(rig, queue)
    reporter.started()
    reporter.ended(RECORD)
    assert len(woken) == 1
    reporter.waits(Wait(since=START, at=START, reason=WaitReason.WINDOW))
    assert len(woken) == 2
    queue.drain()
    reporter.started()
    assert len(woken) == 3


def test_what_a_report_says_is_forgotten_and_nothing_else(rig: Rig) -> None:
    queue = ProgressQueue()
    other = REF.next_attempt()
    for ref in (REF, other):
        _reporter(rig, queue, ref=ref).started()
    queue.forget(REF)
    assert [item.attempt for item in queue.drain()] == [other.attempt]


def test_what_waits_is_bounded_and_the_oldest_goes_first(rig: Rig) -> None:
    queue = ProgressQueue()
    for attempt in range(1, MAX_WAITING + 11):
        _reporter(rig, queue, ref=REF.model_copy(update={"attempt": attempt})).started()
    items = queue.drain()
    assert len(items) == MAX_WAITING
    assert items[0].attempt == 11


def test_a_later_start_of_a_phase_has_larger_numbers(rig: Rig) -> None:
    queue = ProgressQueue()
    first = _reporter(rig, queue, starts=1)
    for done in range(1000):
        rig.clock.advance(timedelta(seconds=1))
        first.on_bytes(done, 10_000)
    last = queue.drain()[-1].sequence
    _reporter(rig, queue, starts=2).started()
    assert queue.drain()[0].sequence > last
