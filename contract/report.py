"""What a device tells about an attempt: while it runs, and when it has ended."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field

from contract.documents import Document, Fragment
from contract.jobs import ID_PATTERN
from contract.phases import Phase
from contract.states import (
    Applicability,
    ComplianceState,
    DesiredState,
    DetectionState,
    EnforcementState,
    Intent,
    Outcome,
)
from contract.waits import overshoot


class PhaseOutcome(StrEnum):
    """How a phase ended."""

    #: It did its work; the next phase follows.
    DONE = "done"
    #: It found that nothing is left to do, and the job goes on with setting and reporting that.
    SETTLED = "settled"
    #: It failed for good; the attempt is set and reported as failed.
    FAILED = "failed"
    #: The message is void: an older generation, a job that is gone, one that is not due.
    VOID = "void"


class PhaseRecord(Fragment):
    """One phase of one attempt: when, how long, how much, with what result.

    Attributes:
        duration_seconds: By a clock that never goes back, so not always `ended_at - started_at`.
        bytes_done: Bytes fetched or written, where the phase moves any.
        summary: What it found, in words an operator reads.
    """

    phase: Phase
    outcome: PhaseOutcome
    started_at: datetime
    ended_at: datetime
    duration_seconds: float = Field(ge=0)
    bytes_done: int = Field(default=0, ge=0)
    summary: str = ""


class WaitReason(StrEnum):
    """Why nothing happens right now; every wait has one, with a time."""

    RETRY_INTERVAL = "retry-interval"
    GRS = "grs"
    SCHEDULE = "schedule"
    INTERRUPTED = "interrupted"
    UNAVAILABLE = "unavailable"
    RESTART_PENDING = "restart-pending"
    NO_USER = "no-user"
    WINDOW = "window"
    DEADLINE = "deadline"
    LEDGER = "ledger"

    @property
    def sentence(self) -> str:
        """The reason in words."""
        return _WAIT_SENTENCES[self]


_WAIT_SENTENCES = {
    WaitReason.RETRY_INTERVAL: "the attempt failed; attempts keep an interval",
    WaitReason.GRS: "all attempts failed; the app is tried again after the GRS wait",
    WaitReason.SCHEDULE: "the attempt failed; the policy's schedule for this kind of failure sets the wait",
    WaitReason.INTERRUPTED: "the attempt was cut off and is made again at once",
    WaitReason.UNAVAILABLE: "a part that the phase needs does not answer; it is asked again",
    WaitReason.RESTART_PENDING: "the device must restart first",
    WaitReason.NO_USER: "the app installs for a user, and no user is logged on",
    WaitReason.WINDOW: "the maintenance window is closed",
    WaitReason.DEADLINE: "the time that the assignment sets for it has not come",
    WaitReason.LEDGER: "the device cannot write down what it does",
}


class Wait(Fragment):
    """A phase that waits in the middle of an attempt: since and until when, and why.

    Attributes:
        since: When the wait was set, by the device's clock.
        at: When the phase is tried again, by the same clock.
        detail: The facts: what does not answer, who holds it up.
    """

    since: datetime
    at: datetime
    reason: WaitReason
    detail: str = ""

    def as_of(self, now: datetime) -> Self:
        """The same by a clock that may have been set back since; never longer than it was stated."""
        ahead = overshoot(self.since, now=now)
        return self.model_copy(update={"since": self.since - ahead, "at": self.at - ahead})


class NextAction(Fragment):
    """What happens next on the device by itself, when, and why only then.

    Attributes:
        since: When that was decided, by the device's clock; the other times are by the same clock.
        generation: The generation the next attempt belongs to.
        attempt: Its number, one more; the GRS wait comes after each full round of the policy's attempts.
        looks_again_at: When the device judges and reports anew before that, with nothing executed; None where the wait
            is too short for it. What it finds as desired then ends the wait.
    """

    since: datetime
    at: datetime
    reason: WaitReason
    generation: int = Field(ge=1)
    attempt: int = Field(ge=1)
    looks_again_at: datetime | None = None

    def as_of(self, now: datetime) -> Self:
        """The same by a clock that may have been set back since; never longer than it was stated."""
        ahead = overshoot(self.since, now=now)
        looks_again_at = None if self.looks_again_at is None else self.looks_again_at - ahead
        return self.model_copy(
            update={"since": self.since - ahead, "at": self.at - ahead, "looks_again_at": looks_again_at}
        )


class ErrorReport(Fragment):
    """What went wrong.

    Attributes:
        code: The error's name in the table.
        number: Its unsigned 32-bit code; the HRESULT of the exit code for an installer (behaviour 2.7).
        phase: Where it happened.
        detail: The facts: what was expected and found.
        raw_exit_code: The installer's exit code as the system gave it.
    """

    code: str
    number: int | None = None
    phase: Phase
    detail: str = ""
    raw_exit_code: int | None = None


class Report(Document):
    """The result of one attempt, signed by the device that made it.

    Attributes:
        sequence: 1, 2, ... within the attempt; (job, generation, attempt, sequence) names a report for good.
        output_tail: The end of what the installer printed.
        next_action: What the device does by itself next; None when it is done.
    """

    job_id: str = Field(pattern=ID_PATTERN)
    device_id: str = Field(pattern=ID_PATTERN)
    generation: int = Field(ge=1)
    attempt: int = Field(ge=1)
    sequence: int = Field(default=1, ge=1)
    app_id: str
    app_name: str
    revision: int
    intent: Intent
    outcome: Outcome
    desired_state: DesiredState
    detection_state: DetectionState
    applicability: Applicability
    compliance_state: ComplianceState
    enforcement_state: EnforcementState
    error: ErrorReport | None = None
    raw_exit_code: int | None = None
    output_tail: str = ""
    bytes_downloaded: int = Field(default=0, ge=0)
    phases: tuple[PhaseRecord, ...]
    started_at: datetime
    ended_at: datetime
    next_action: NextAction | None = None


class Progress(Fragment):
    """Where an attempt is right now; a newer one replaces an older one.

    Attributes:
        sequence: Grows with each progress message of the attempt.
        record: The phase's record once it has ended; None while it runs.
        waiting: What the phase waits for where it neither runs nor has ended; None otherwise.
    """

    job_id: str = Field(pattern=ID_PATTERN)
    generation: int = Field(ge=1)
    attempt: int = Field(ge=1)
    sequence: int = Field(ge=1)
    phase: Phase
    at: datetime
    bytes_done: int = Field(default=0, ge=0)
    bytes_total: int = Field(default=0, ge=0)
    record: PhaseRecord | None = None
    waiting: Wait | None = None
