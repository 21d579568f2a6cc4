"""When a failed attempt is followed by another (behaviour 2.6, C-09, C-10, N-03 to N-05).

Attempts count on within a generation: with three attempts a round, 1 to 3 are the first round, 4 to 6 the round after
the GRS wait, and so on. So no two attempts of a generation ever share a number, a ledger entry or a report; the place
within the round, `attempt % attempts`, decides which wait follows.
"""

from datetime import datetime, timedelta

from contract.jobs import JobRef
from contract.policy import Limits
from contract.report import NextAction, WaitReason


def next_action(ref: JobRef, limits: Limits, *, now: datetime, interrupted: bool) -> NextAction:
    """What follows a failed attempt, and when.

    Args:
        ref: The attempt that failed.
        limits: The policy's numbers.
        now: When it failed.
        interrupted: It was cut off rather than refused, so nothing speaks against trying again at once. As the last
            of its round it still waits for the GRS: a device that dies in every attempt must not do so for ever.
    """
    reason = _reason(ref, limits, interrupted=interrupted)
    at = now + timedelta(seconds=_wait_seconds(reason, limits))
    return NextAction(at=at, reason=reason, generation=ref.generation, attempt=ref.attempt + 1)


def seconds_until(at: datetime, *, now: datetime) -> float:
    """Seconds until a moment; 0 when it has passed."""
    return max(0.0, (at - now).total_seconds())


def _reason(ref: JobRef, limits: Limits, *, interrupted: bool) -> WaitReason:
    if ref.attempt % limits.attempts == 0:
        return WaitReason.GRS
    return WaitReason.INTERRUPTED if interrupted else WaitReason.RETRY_INTERVAL


def _wait_seconds(reason: WaitReason, limits: Limits) -> float:
    match reason:
        case WaitReason.GRS:
            return limits.grs_seconds
        case WaitReason.INTERRUPTED:
            return 0.0
        case WaitReason.RETRY_INTERVAL:
            return limits.retry_interval_seconds
