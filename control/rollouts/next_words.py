"""What happens next with a rollout, in words: a pure function over the same facts that it decides by."""

from collections.abc import Sequence

from control.rollouts.advance import Course, RingProgress, soaks_until
from control.rollouts.counts import RingCounts, Standing
from control.rollouts.gates import success_gate
from control.rollouts.spec import Ring
from control.rollouts.states import RolloutState

_WORDS = {
    RolloutState.DRAFT: "nothing moves before it is started",
    RolloutState.PAUSED: "nothing begins before it is resumed; what devices have got goes on",
    RolloutState.HALTED: "an operator resumes it, rolls it back or cancels it",
    RolloutState.FINISHED: "nothing more: it is through",
    RolloutState.ROLLED_BACK: "nothing more: it is taken back",
    RolloutState.CANCELLED: "nothing more: it was given up",
}


def what_next(course: Course, counts: Sequence[RingCounts]) -> str:
    """What happens next and what it waits for."""
    if course.state in _WORDS:
        return _WORDS[course.state]
    if course.state is RolloutState.ROLLING_BACK:
        left = sum(found.of(Standing.AT_WORK, Standing.RETRYING) for found in counts)
        return f"it is over when {left} more devices are back"
    for ring, progress, found in zip(course.spec.rings, course.rings, counts, strict=True):
        if progress.passed_at is None:
            return _in_ring(ring, progress, found)
    held = sum(found.of(Standing.HELD) for found in counts)
    return f"it is finished when {held} more devices could be admitted"


def _in_ring(ring: Ring, progress: RingProgress, found: RingCounts) -> str:
    if progress.opened_at is None:
        return f"ring {ring.name} is about to be opened"
    gate = success_gate(ring.success, found, progress.accepted_failures)
    if progress.soak_since is None or not gate.holds:
        return f"ring {ring.name}: {gate.words}"
    until = soaks_until(ring, progress.soak_since)
    return f"ring {ring.name} soaks until {until:%Y-%m-%d %H:%M:%S} UTC"
