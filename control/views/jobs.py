"""Jobs and their phases."""

from datetime import datetime
from typing import ClassVar

from pydantic import ConfigDict

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import PhaseRecord, WaitReason
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.views.base import View
from control.waiting import WaitingFor


class JobView(View):
    """A job: one revision, one device, one intent.

    Attributes:
        evaluates_only: Its device only looks whether the app is there and could be installed.
        for_app: The app that needs this one, or takes its place; None where this one is assigned.
        waits_for_app: The app that must be there, or gone, before this job goes on.
        error_code: The error's name in the table; `hint` says what to do about it.
        generation_reason: Why it has this generation.
        cancel_reason: Why it is being cancelled, or was.
        phase_since: When the current phase was first heard of.
        next_action_at: When its device goes on by itself; `next_action_reason` says why only then.
        waiting_for: What it waits for; None once it is over.
        waiting_since: When that began.
        waiting_until: When that ends, or something is done about it, where that is known.
        next_action: What it waits for and what happens next, in words.
    """

    OUTSIDE_TAG: ClassVar = frozenset({"waiting_for", "waiting_since", "waiting_until", "next_action"})

    id: str
    device_id: str
    device: str
    app: str
    revision: int
    intent: Intent
    evaluates_only: bool
    for_app: str | None
    waits_for_app: str | None
    state: JobState
    generation: int
    generation_reason: GenerationReason
    cancel_reason: CancelReason | None
    attempt: int
    phase: Phase | None
    phase_since: datetime | None
    bytes_done: int
    bytes_total: int
    outcome: Outcome | None
    enforcement_state: EnforcementState | None
    error_code: str | None
    error_number: int | None
    error_detail: str
    raw_exit_code: int | None
    hint: str
    waiting_for: WaitingFor | None
    waiting_since: datetime | None
    waiting_until: datetime | None
    next_action: str
    next_action_at: datetime | None
    next_action_reason: WaitReason | None
    next_action_detail: str
    created_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    changed_at: datetime | None


class PhaseView(PhaseRecord):
    """A phase with the attempt it belongs to."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    generation: int
    attempt: int


class JobDetail(JobView):
    """A job with the phases of all its attempts, in the order they were run.

    Attributes:
        output_tail: The end of what the installer printed, of the newest attempt that was reported.
    """

    phases: tuple[PhaseView, ...]
    output_tail: str
