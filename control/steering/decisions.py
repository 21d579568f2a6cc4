"""What "retry now" and "cancel" do to a job, as pure functions over where it is.

| the job is | retry now | rerun detection | cancel |
|---|---|---|---|
| planned, never sent | unchanged: it is about to be sent | unchanged | cancelled at once |
| planned, sent before | unchanged | unchanged | cancelling |
| held | resent: its device judges anew | resent | cancelled at once |
| sent | resent; unchanged where an operator's retry is on its way | unchanged | cancelling |
| running | refused; resent with force | unchanged | cancelling |
| waiting | resent | resent; the wait goes on | cancelling |
| cancelling | resent; the order is withdrawn | refused | unchanged; with force the order becomes "stop" |
| finished as desired | refused; resent with force | resent | refused |
| finished otherwise | resent | resent | refused |
| cancelled | resent, unless nobody wants it | refused | unchanged |

A job that is over and not the newest of its device and app is never resent. Doing the same twice changes nothing more.
"""

from dataclasses import dataclass
from enum import StrEnum

from contract.error_codes import ErrorCode
from contract.jobs import JobState
from contract.states import Outcome
from contract.uplink import GenerationReason, OrderKind
from control.cancel_reasons import CancelReason
from control.live_states import LIVE_STATES


class Change(StrEnum):
    """What came of it for one job."""

    #: Its generation was raised; a new chain is sent at once, or when its device checks in.
    RESENT = "resent"
    #: It is void from now on; nothing of it was on its device.
    CANCELLED = "cancelled"
    #: Its device is told to let go of it.
    CANCELLING = "cancelling"
    #: It was so already.
    UNCHANGED = "unchanged"
    #: It cannot be done to this job.
    REFUSED = "refused"

    @property
    def is_made(self) -> bool:
        """Whether anything is different now."""
        return self in {Change.RESENT, Change.CANCELLED, Change.CANCELLING}


@dataclass(frozen=True)
class Standing:
    """Where a job is.

    Attributes:
        was_sent: A chain of it was sent at any time, so its device may have it.
        is_newest: It is the newest of its device and app.
        order: The order about it that stands.
    """

    state: JobState
    outcome: Outcome | None
    generation_reason: GenerationReason
    cancel_reason: CancelReason | None
    was_sent: bool
    is_newest: bool
    order: OrderKind | None


@dataclass(frozen=True)
class Verdict:
    """What is to be done to one job.

    Attributes:
        refusal: Why not, where it is refused.
    """

    change: Change
    refusal: ErrorCode | None = None


def decide_retry(job: Standing, *, force: bool) -> Verdict:
    """What "retry now" does; `force` starts over what is running and carries out again what is as desired."""
    is_over = job.state not in LIVE_STATES
    if is_over and (not job.is_newest or job.cancel_reason is CancelReason.SUPERSEDED):
        return Verdict(Change.REFUSED, ErrorCode.JOB_REPLACED)
    if job.state is JobState.FINISHED and job.outcome is not None and job.outcome.as_desired and not force:
        return Verdict(Change.REFUSED, ErrorCode.JOB_ENDED)
    if job.state is JobState.RUNNING and not force:
        return Verdict(Change.REFUSED, ErrorCode.JOB_UNDER_WAY)
    retried = job.state is JobState.SENT and job.generation_reason is GenerationReason.OPERATOR
    if job.state is JobState.PLANNED or retried:
        return Verdict(Change.UNCHANGED)
    return Verdict(Change.RESENT)


def decide_detection(job: Standing) -> Verdict:
    """What "rerun detection" does: what a device is about to judge anyway is left alone."""
    if job.state in {JobState.CANCELLING, JobState.CANCELLED}:
        return Verdict(Change.REFUSED, ErrorCode.JOB_ENDED)
    if job.state is JobState.FINISHED and not job.is_newest:
        return Verdict(Change.REFUSED, ErrorCode.JOB_REPLACED)
    looks_anyway = job.state not in {JobState.FINISHED, JobState.WAITING, JobState.HELD}
    return Verdict(Change.UNCHANGED if looks_anyway else Change.RESENT)


def decide_cancel(job: Standing, *, force: bool) -> Verdict:
    """What "cancel" does; `force` ends a running command with all its processes."""
    match job.state:
        case JobState.FINISHED:
            return Verdict(Change.REFUSED, ErrorCode.JOB_ENDED)
        case JobState.CANCELLED:
            return Verdict(Change.UNCHANGED)
        case JobState.CANCELLING if job.order is OrderKind.STOP or not force:
            return Verdict(Change.UNCHANGED)
        case JobState.PLANNED if not job.was_sent:
            return Verdict(Change.CANCELLED)
        case JobState.HELD:
            return Verdict(Change.CANCELLED)
        case _:
            return Verdict(Change.CANCELLING)
