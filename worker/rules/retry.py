"""When a failed attempt is followed by another (behaviour 2.6, C-09, C-10, N-03 to N-05).

Attempts count on within a generation, so that no two of a generation ever share a number, a ledger entry or a report.
Which wait follows is decided by how many failed in a row, however many generations that took: with three attempts a
round, after the third, sixth, ... failure comes the GRS wait. A policy may set another schedule by class of failure.
"""

from datetime import datetime, timedelta

from contract.jobs import JobRef
from contract.policy import FailureClass, Limits
from contract.report import NextAction, WaitReason

#: A waiting chain wakes at least this often to judge and report anew, with nothing executed (behaviour 2.2: 480 min).
REEVALUATION_SECONDS = 28_800.0


def next_wait(limits: Limits, failure: FailureClass, failures: int) -> tuple[WaitReason, float]:
    """Why and how many seconds to wait after a failure.

    Args:
        limits: The policy's numbers.
        failure: What kind of failure it was. One that was cut off rather than refused is followed at once; as the last
            of its round it still waits for the GRS: a device that dies in every attempt must not do so for ever.
        failures: How many failed in a row, this one included.
    """
    schedule = limits.schedules.get(failure)
    if schedule is not None:
        return WaitReason.SCHEDULE, schedule.wait_seconds(failures)
    if failures % limits.attempts == 0:
        return WaitReason.GRS, limits.grs_seconds
    if failure is FailureClass.INTERRUPTED:
        return WaitReason.INTERRUPTED, 0.0
    return WaitReason.RETRY_INTERVAL, limits.retry_interval_seconds


def next_action(ref: JobRef, *, at: datetime, reason: WaitReason, now: datetime) -> NextAction:
    """What follows an attempt that failed, or whose execution was withheld."""
    looks_again_at = now + timedelta(seconds=REEVALUATION_SECONDS)
    return NextAction(
        since=now,
        at=at,
        reason=reason,
        generation=ref.generation,
        attempt=ref.attempt + 1,
        looks_again_at=looks_again_at if looks_again_at < at else None,
    )


def countdown_seconds(action: NextAction, *, now: datetime) -> float:
    """Seconds until the chain of the next attempt is to wake; 0 when it is overdue, never more than were stated."""
    standing = action.as_of(now)
    return seconds_until(standing.looks_again_at or standing.at, now=now)


def seconds_until(at: datetime, *, now: datetime) -> float:
    """Seconds until a moment; 0 when it has passed."""
    return max(0.0, (at - now).total_seconds())
