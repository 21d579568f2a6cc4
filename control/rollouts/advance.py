"""What a rollout does next: one pure function over where it is, how its devices are doing, and the time.

Deciding again on the same facts decides the same, and what has been carried out is not decided again: a control plane
that was killed anywhere goes on where the database says it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from control.rollouts.counts import RingCounts, Standing
from control.rollouts.gates import failure_gate, success_gate
from control.rollouts.spec import Ring, RolloutSpec
from control.rollouts.states import RolloutState


@dataclass(frozen=True)
class RingProgress:
    """How far a ring is; see the table's columns."""

    opened_at: datetime | None = None
    soak_since: datetime | None = None
    passed_at: datetime | None = None
    accepted_failures: int = 0


@dataclass(frozen=True)
class Course:
    """A rollout as far as it has come.

    Attributes:
        rings: As many as the spec has, in the same order.
    """

    state: RolloutState
    spec: RolloutSpec
    rings: tuple[RingProgress, ...]


class Step(StrEnum):
    """What a rollout does by itself."""

    #: The devices of a ring may be admitted from now on.
    OPEN_RING = "ring-opened"
    #: A ring's success gate is met: its soak begins.
    SOAK = "soak-begun"
    #: A ring has soaked.
    CLOSE_RING = "ring-passed"
    #: A failure gate has tripped.
    HALT = "halted"
    #: The same, and the operator wants what was done taken back.
    ROLL_BACK = "rollback-begun"
    #: All rings are through.
    FINISH = "finished"
    #: All devices are back.
    SETTLE = "rolled-back"


@dataclass(frozen=True)
class Decision:
    """One step.

    Attributes:
        ring: The ring it is about; None for the whole rollout.
        words: The figures it was decided by.
    """

    step: Step
    ring: int | None = None
    words: str = ""


def advance(course: Course, counts: Sequence[RingCounts], now: datetime) -> Decision | None:
    """The next step; None where there is nothing to do but to wait.

    Args:
        course: The rollout.
        counts: Of each ring; while it is rolled back, of the revision that takes the other's place.
        now: The time.
    """
    if course.state is RolloutState.ROLLING_BACK:
        return _settle(counts)
    if course.state is not RolloutState.RUNNING:
        return None
    return _halt(course, counts) or _go_on(course, counts, now)


def _settle(counts: Sequence[RingCounts]) -> Decision | None:
    if not all(ring.all_settled for ring in counts):
        return None
    back = sum(ring.of(Standing.SUCCEEDED) for ring in counts)
    failed = sum(ring.of(Standing.FAILED) for ring in counts)
    return Decision(Step.SETTLE, words=f"{back} devices are back, {failed} failed")


def _halt(course: Course, counts: Sequence[RingCounts]) -> Decision | None:
    for number, (ring, progress, found) in enumerate(zip(course.spec.rings, course.rings, counts, strict=True)):
        tripped = failure_gate(ring.failure, found, progress.accepted_failures)
        if progress.opened_at is not None and tripped.holds:
            step = Step.ROLL_BACK if course.spec.rollback_on_failure else Step.HALT
            return Decision(step, number, f"ring {ring.name}: {tripped.words}")
    return None


def _go_on(course: Course, counts: Sequence[RingCounts], now: datetime) -> Decision | None:
    for number, (ring, progress, found) in enumerate(zip(course.spec.rings, course.rings, counts, strict=True)):
        if progress.passed_at is None:
            return _in_ring(number, ring, progress, found, now)
    if any(found.of(Standing.HELD) for found in counts):
        return None
    return Decision(Step.FINISH, words=f"all {len(course.rings)} rings have passed")


def _in_ring(number: int, ring: Ring, progress: RingProgress, found: RingCounts, now: datetime) -> Decision | None:
    if progress.opened_at is None:
        return Decision(Step.OPEN_RING, number, f"ring {ring.name}: {found.devices} devices")
    enough = success_gate(ring.success, found, progress.accepted_failures)
    if not enough.holds:
        return None
    if progress.soak_since is None:
        return Decision(Step.SOAK, number, f"ring {ring.name}: {enough.words}")
    if found.devices and now < soaks_until(ring, progress.soak_since):
        return None
    return Decision(Step.CLOSE_RING, number, f"ring {ring.name}: {enough.words}")


def soaks_until(ring: Ring, since: datetime) -> datetime:
    """When a ring's soak is over."""
    return since + timedelta(seconds=ring.soak_seconds)
