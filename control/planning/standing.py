"""Whether a device's newest job for an app fits what is wanted, and what has come of it."""

from typing import Final

from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import Outcome
from control.cancel_reasons import CancelReason
from control.live_states import LIVE_STATES
from control.planning.models import KnownJob, Want
from control.planning.obstacles import Obstacle

#: Something of a job in one of these states may be running on its device this very moment.
ON_DEVICE: Final = frozenset({JobState.RUNNING, JobState.CANCELLING})

#: A job that was to look has its answer in one of these states.
_LOOKED: Final = frozenset({JobState.FINISHED, JobState.HELD})

_NOT_FOR_THE_DEVICE: Final = frozenset({Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET})

#: Whatever is live but its device has been told to let go of.
_PURSUED: Final = frozenset(LIVE_STATES) - {JobState.CANCELLING}


def holds_its_place(job: KnownJob) -> bool:
    """Whether a job that is void keeps others from being made: an operator's word, or a device that is silent."""
    expired_for_good = job.cancel_reason is CancelReason.EXPIRED and not job.seen_since
    return job.state is JobState.CANCELLED and (expired_for_good or job.cancel_reason is CancelReason.OPERATOR)


def fits(job: KnownJob | None, want: Want) -> bool:
    """Whether the job is for the revision and the intent that are wanted, whether it only looks or not."""
    if job is None or (job.state is JobState.CANCELLED and not holds_its_place(job)):
        return False
    return (job.revision, job.intent) == (want.revision, want.intent)


def serves(job: KnownJob | None, want: Want) -> bool:
    """Whether the job stays: it does what is wanted, or will once it has looked."""
    if job is None or not fits(job, want):
        return False
    # One that executes is too much where one is only to look, unless it has already done so.
    return job.evaluates_only or not want.evaluates_only or job.state not in _PURSUED


def may_advance(job: KnownJob, want: Want) -> bool:
    """Whether a job that serves has looked, and is to be sent in full now."""
    return job.evaluates_only and not want.evaluates_only and job.state in _LOOKED


def has_looked(job: KnownJob) -> bool:
    """Whether a job that was only to look has its answer."""
    return job.evaluates_only and job.state in _LOOKED


def is_inapplicable(job: KnownJob) -> bool:
    """Whether the app is not for the device."""
    return job.state is JobState.FINISHED and job.outcome in _NOT_FOR_THE_DEVICE


def obstacle_of(job: KnownJob | None, want: Want) -> Obstacle | None:
    """What an app that needs this one has to wait for; None where this one is as wanted."""
    if job is None or not fits(job, want):
        return Obstacle.INSTALLING
    if has_looked(job) and job.outcome is Outcome.EVALUATED:
        return Obstacle.ABSENT if want.evaluates_only else Obstacle.INSTALLING
    return _of_finished(job) if job.state is JobState.FINISHED else _of_unfinished(job)


def _of_finished(job: KnownJob) -> Obstacle | None:
    if job.outcome is not None and job.outcome.as_desired:
        return None
    return Obstacle.REQUIREMENTS if job.outcome in _NOT_FOR_THE_DEVICE else Obstacle.FAILED


def _of_unfinished(job: KnownJob) -> Obstacle:
    if job.wait_reason is WaitReason.RESTART_PENDING:
        return Obstacle.RESTART
    failed = job.state is JobState.WAITING and job.outcome is Outcome.FAILED
    cancelled = job.state is JobState.CANCELLED and job.cancel_reason is CancelReason.OPERATOR
    return Obstacle.FAILED if failed or cancelled else Obstacle.INSTALLING
