"""Send a job anew: its generation is raised, and whatever is under way of it is void from then on."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.uplink import GenerationReason
from control.database.tables import Job, OutboxEntry

#: "Retry now" of an operator, and the wish of somebody at the device.
_ASKED_FOR: Final = frozenset({GenerationReason.OPERATOR, GenerationReason.REQUEST})


def resend(session: Session, job: Job, reason: GenerationReason, now: datetime, *, online: bool = True) -> None:
    """Raise the generation, and put the job into the outbox where its device is online.

    A job that was over begins anew. What is planned for a device that is offline is put into the outbox when the device
    checks in. An order to let go of the job would concern its older generations only; the caller withdraws it.
    """
    job.generation_reason = _standing_reason(job, reason)
    job.generation += 1
    job.state = JobState.PLANNED
    job.attempt = 1
    job.progress_sequence = job.reported_attempt = job.reported_sequence = 0
    job.phase = job.phase_since = job.advanced_at = None
    job.phase_ended = False
    job.bytes_done = job.bytes_total = 0
    job.next_action_at = job.next_action_reason = job.cancel_reason = job.finished_at = None
    job.next_action_detail = ""
    job.waits_for_app_id = None
    if online:
        session.add(OutboxEntry(job_id=job.id, generation=job.generation, created_at=now))


def _standing_reason(job: Job, reason: GenerationReason) -> GenerationReason:
    """What somebody asked for, and no attempt has answered yet, is still meant, however often it has to be sent."""
    unanswered = job.generation_reason in _ASKED_FOR and not job.reported_attempt
    return job.generation_reason if unanswered and reason is GenerationReason.RECONCILER else reason
