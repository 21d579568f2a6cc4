"""What a device's word changes about a job, as pure functions.

A job's word is newer by (generation, attempt, sequence). The device raises the generation itself when it starts over
after the GRS wait; the control plane raises it when it sends a job anew. Older generations change nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import Progress, Report, WaitReason
from contract.states import EnforcementState, Outcome
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
    finished_at: datetime | None = None


def after_progress(status: JobStatus, progress: Progress) -> JobStatus:
    """The status after a progress message; the same where the message is old or the job is over."""
    if status.state not in LIVE_STATES or progress.generation < status.generation:
        return status
    if progress.generation == status.generation:
        # Nothing more is to be heard of an attempt that has been reported.
        seen = max((status.reported_attempt + 1, 0), (status.attempt, status.progress_sequence))
        if (progress.attempt, progress.sequence) <= seen:
            return status
    return replace(
        _of_generation(status, progress.generation),
        state=JobState.RUNNING,
        attempt=progress.attempt,
        progress_sequence=progress.sequence,
        phase=progress.phase,
        bytes_done=progress.bytes_done,
        bytes_total=progress.bytes_total,
        next_action_at=None,
        next_action_reason=None,
    )


def after_report(status: JobStatus, report: Report, now: datetime) -> JobStatus:
    """The status after a report; the same where the report is old or the job is over."""
    if status.state not in LIVE_STATES or report.generation < status.generation:
        return status
    if report.generation == status.generation:
        seen = (status.reported_attempt, status.reported_sequence)
        if (report.attempt, report.sequence) <= seen:
            return status
    judged = _judged(_of_generation(status, report.generation), report)
    if report.next_action is None:
        return replace(judged, state=JobState.FINISHED, finished_at=now, next_action_at=None, next_action_reason=None)
    waiting = replace(
        judged,
        state=JobState.WAITING,
        next_action_at=report.next_action.at,
        next_action_reason=report.next_action.reason,
    )
    return _of_generation(waiting, report.next_action.generation)


def _judged(status: JobStatus, report: Report) -> JobStatus:
    error = report.error
    raw_exit_code = report.raw_exit_code
    if raw_exit_code is None and error is not None:
        raw_exit_code = error.raw_exit_code
    return replace(
        status,
        attempt=report.attempt,
        reported_attempt=report.attempt,
        reported_sequence=report.sequence,
        phase=error.phase if error else Phase.REPORT,
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
