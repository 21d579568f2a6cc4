"""What a device's word changes about a job, as pure functions.

A job's word is newer by (generation, attempt, sequence). The control plane raises the generation when it sends a job
anew; older generations change nothing. Within a generation the words may come in any order, and more than once: what
is known in the end is the same.

| the job is | progress makes it | a report with a next action | a last report |
|---|---|---|---|
| planned, sent, running, waiting | running | waiting, with time and reason | finished; cancelled where it says so |
| cancelling | cancelling | cancelling | finished where it came to a result by itself, else cancelled |
| finished, cancelled | as it was | as it was | as it was |
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import Progress, Report, Wait, WaitReason
from contract.states import EnforcementState, Outcome
from control.cancel_reasons import CancelReason
from control.live_states import LIVE_STATES


@dataclass(frozen=True)
class JobStatus:
    """What is known of a live job; the fields have the names of the table's columns."""

    state: JobState
    generation: int
    attempt: int = 1
    progress_sequence: int = 0
    reported_attempt: int = 0
    reported_sequence: int = 0
    phase: Phase | None = None
    phase_since: datetime | None = None
    phase_ended: bool = False
    advanced_at: datetime | None = None
    bytes_done: int = 0
    bytes_total: int = 0
    outcome: Outcome | None = None
    enforcement_state: EnforcementState | None = None
    error_code: str | None = None
    error_number: int | None = None
    error_detail: str = ""
    raw_exit_code: int | None = None
    next_action_at: datetime | None = None
    next_action_reason: WaitReason | None = None
    next_action_detail: str = ""
    cancel_reason: CancelReason | None = None
    finished_at: datetime | None = None


#: Results that stand although an order to cancel was on its way.
_OWN_RESULTS: Final = frozenset(Outcome) - {Outcome.FAILED, Outcome.CANCELLED}

_NOTHING_NEXT: Final[Mapping[str, Any]] = {
    "next_action_at": None,
    "next_action_reason": None,
    "next_action_detail": "",
}


def after_progress(status: JobStatus, progress: Progress, now: datetime) -> JobStatus:
    """The status after a progress message; the same where the message is old or the job is over."""
    if status.state not in LIVE_STATES or progress.generation < status.generation:
        return status
    if progress.generation == status.generation:
        # Nothing more is to be heard of an attempt that has been reported.
        seen = max((status.reported_attempt + 1, 0), (status.attempt, status.progress_sequence))
        if (progress.attempt, progress.sequence) <= seen:
            return status
    begun = _of_generation(status, progress.generation)
    same_phase = (begun.generation, begun.attempt, begun.phase) == (status.generation, progress.attempt, progress.phase)
    got_on = not same_phase or progress.bytes_done > status.bytes_done or progress.record is not None
    running = replace(
        begun,
        state=JobState.CANCELLING if status.state is JobState.CANCELLING else JobState.RUNNING,
        attempt=progress.attempt,
        progress_sequence=progress.sequence,
        phase=progress.phase,
        phase_since=begun.phase_since if same_phase and begun.phase_since else now,
        phase_ended=progress.record is not None,
        advanced_at=now if got_on else begun.advanced_at,
        bytes_done=progress.bytes_done,
        bytes_total=progress.bytes_total,
        **_NOTHING_NEXT,
    )
    return running if progress.waiting is None else _held_up(running, progress.waiting.as_of(now))


def after_report(status: JobStatus, report: Report, now: datetime) -> JobStatus:
    """The status after a report; the same where the report is old or the job is over."""
    if status.state not in LIVE_STATES or report.generation < status.generation:
        return status
    if report.generation == status.generation:
        seen = (status.reported_attempt, status.reported_sequence)
        if (report.attempt, report.sequence) <= seen:
            return status
    begun = _of_generation(status, report.generation)
    judged = _judged(begun, report)
    if report.next_action is None:
        return _ended(judged, now)
    if report.attempt < begun.attempt:
        return _with_result_of_earlier_attempt(begun, judged)
    waiting = replace(judged, **_NOTHING_NEXT)
    if status.state is not JobState.CANCELLING:
        next_action_at, reason = report.next_action.as_of(now).at, report.next_action.reason
        waiting = replace(waiting, state=JobState.WAITING, next_action_at=next_action_at, next_action_reason=reason)
    return _of_generation(waiting, report.next_action.generation)


def _held_up(status: JobStatus, wait: Wait) -> JobStatus:
    return replace(status, next_action_at=wait.at, next_action_reason=wait.reason, next_action_detail=wait.detail)


def _ended(judged: JobStatus, now: datetime) -> JobStatus:
    ended = replace(judged, finished_at=now, **_NOTHING_NEXT)
    cancelled = judged.outcome is Outcome.CANCELLED or judged.state is JobState.CANCELLING
    if cancelled and judged.outcome not in _OWN_RESULTS:
        return replace(ended, state=JobState.CANCELLED, cancel_reason=judged.cancel_reason or CancelReason.OPERATOR)
    return replace(ended, state=JobState.FINISHED, cancel_reason=None)


def _with_result_of_earlier_attempt(status: JobStatus, judged: JobStatus) -> JobStatus:
    """A newer attempt is under way already: it says where the job is, the report what the earlier one came to."""
    return replace(
        judged,
        attempt=status.attempt,
        progress_sequence=status.progress_sequence,
        phase=status.phase,
        phase_ended=status.phase_ended,
        bytes_done=status.bytes_done,
        bytes_total=status.bytes_total,
    )


def _judged(status: JobStatus, report: Report) -> JobStatus:
    error = report.error
    raw_exit_code = report.raw_exit_code
    if raw_exit_code is None and error is not None:
        raw_exit_code = error.raw_exit_code
    return replace(
        status,
        attempt=report.attempt,
        progress_sequence=0,
        reported_attempt=report.attempt,
        reported_sequence=report.sequence,
        phase=error.phase if error else Phase.REPORT,
        phase_ended=True,
        outcome=report.outcome,
        enforcement_state=report.enforcement_state,
        error_code=error.code if error else None,
        error_number=error.number if error else None,
        error_detail=error.detail if error else "",
        raw_exit_code=raw_exit_code,
        bytes_done=report.bytes_downloaded,
        bytes_total=max(status.bytes_total, report.bytes_downloaded),
    )


def _of_generation(status: JobStatus, generation: int) -> JobStatus:
    """The status with the counters of a newer generation begun; the same for the current one."""
    if generation <= status.generation:
        return status
    return replace(
        status, generation=generation, attempt=1, progress_sequence=0, reported_attempt=0, reported_sequence=0
    )
