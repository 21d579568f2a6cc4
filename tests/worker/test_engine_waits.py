"""A phase that cannot do its work yet waits, with a reason and a time, and the rest of its chain waits with it."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from contract.jobs import JobRef
from contract.phases import Phase
from contract.report import WaitReason
from tests.worker.rig import Rig
from worker.handover import Handover
from worker.housekeeping.duty import NEVER
from worker.housekeeping.progress_duty import AGAIN_SECONDS, ProgressDuty
from worker.phases.context import Deferred, PhaseContext, PhaseFunction, PhaseResult, done
from worker.phases.table import PHASE_FUNCTIONS

WAIT_SECONDS = 600


def _puts_off(times: int) -> PhaseFunction:
    answers: Iterator[Deferred | None] = iter(
        [Deferred(WaitReason.RESTART_PENDING, WAIT_SECONDS, "asked for by Editor")] * times
    )

    def phase(context: PhaseContext) -> PhaseResult | Deferred:
        return next(answers, None) or done(context.findings, "went on")

    return phase


@pytest.fixture
def put_off(rig: Rig) -> Callable[[int], JobRef]:
    """A job that has come to a `detect` which will wait so many times."""

    def make(times: int) -> JobRef:
        rig.functions = {**PHASE_FUNCTIONS, Phase.DETECT: _puts_off(times)}
        rig.restart()
        ref = rig.new_job()
        rig.run(ref, until=Phase.METADATA)
        return ref

    return make


def test_the_queue_the_ledger_and_the_control_plane_are_told(rig: Rig, put_off: Callable[[int], JobRef]) -> None:
    ref = put_off(1)
    assert rig.engine.run(Phase.DETECT, ref) == Handover(retry_in_seconds=WAIT_SECONDS)
    (running,) = rig.device.ledger.attempts.running()
    assert running.wait is not None
    assert running.wait.at == rig.clock.now() + timedelta(seconds=WAIT_SECONDS)
    assert (running.wait.reason, running.wait.detail) == (WaitReason.RESTART_PENDING, "asked for by Editor")
    told = max(rig.progress.drain(), key=lambda item: item.sequence)
    assert (told.phase, told.waiting) == (Phase.DETECT, running.wait)


def test_the_next_turn_goes_on(rig: Rig, put_off: Callable[[int], JobRef]) -> None:
    ref = put_off(1)
    rig.engine.run(Phase.DETECT, ref)
    assert rig.engine.run(Phase.DETECT, ref, turn=1) == Handover(go_on_at=Phase.APPLICABILITY)
    (running,) = rig.device.ledger.attempts.running()
    assert running.wait is None
    assert max(rig.progress.drain(), key=lambda item: item.sequence).waiting is None


def test_the_message_of_a_turn_that_waits_hands_on_once_more_after_a_kill_and_once_only(
    rig: Rig, put_off: Callable[[int], JobRef]
) -> None:
    ref = put_off(2)
    rig.engine.run(Phase.DETECT, ref)
    assert rig.engine.run(Phase.DETECT, ref) == Handover()
    rig.restart()
    rig.clock.advance(timedelta(seconds=100))
    assert rig.engine.run(Phase.DETECT, ref) == Handover(retry_in_seconds=WAIT_SECONDS - 100)
    assert rig.engine.run(Phase.DETECT, ref) == Handover()
    # Both messages of the next turn arrive; one waits on, the other is dropped.
    assert rig.engine.run(Phase.DETECT, ref, turn=1) == Handover(retry_in_seconds=WAIT_SECONDS)
    assert rig.engine.run(Phase.DETECT, ref, turn=1) == Handover()


def test_a_clock_set_back_during_a_wait_does_not_make_it_longer(rig: Rig, put_off: Callable[[int], JobRef]) -> None:
    ref = put_off(2)
    rig.clock.jump(timedelta(days=1))
    rig.engine.run(Phase.DETECT, ref)
    rig.restart()
    rig.clock.jump(timedelta(days=-1))
    assert rig.engine.run(Phase.DETECT, ref) == Handover(retry_in_seconds=WAIT_SECONDS)


def test_a_wait_whose_next_turn_was_seen_is_not_handed_on_again(rig: Rig, put_off: Callable[[int], JobRef]) -> None:
    ref = put_off(2)
    rig.engine.run(Phase.DETECT, ref)
    rig.engine.run(Phase.DETECT, ref, turn=1)
    rig.restart()
    assert rig.engine.run(Phase.DETECT, ref) == Handover()


def test_waiting_does_not_use_up_the_tries_of_a_part_that_does_not_answer(
    rig: Rig, put_off: Callable[[int], JobRef]
) -> None:
    ref = put_off(20)
    for turn in range(20):
        assert rig.engine.run(Phase.DETECT, ref, turn=turn) == Handover(retry_in_seconds=WAIT_SECONDS)
    assert rig.engine.run(Phase.DETECT, ref, turn=20).go_on_at is Phase.APPLICABILITY


def test_a_wait_is_told_once_the_control_plane_answers_again(rig: Rig, put_off: Callable[[int], JobRef]) -> None:
    ref = put_off(1)
    duty = ProgressDuty(rig.progress, rig.uplink, rig.clock)
    rig.engine.run(Phase.DETECT, ref)
    rig.uplink.available = False
    assert duty.turn() == AGAIN_SECONDS
    rig.uplink.available = True
    rig.clock.advance(timedelta(seconds=AGAIN_SECONDS + 1))
    assert duty.turn() == NEVER
    (told,) = rig.uplink.progress_items
    assert told.waiting is not None
    assert told.waiting.reason is WaitReason.RESTART_PENDING
