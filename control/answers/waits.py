"""What a job waits for, since when and until when: one pure function over the job and its device.

Every job that is not over waits for something that can be named. The first row that fits is the answer:

| the job is | and | it waits for | until |
|---|---|---|---|
| waiting | its time has not come | the next attempt | the time its device gave |
| any | its device is offline | the device | |
| planned | | dispatch | |
| held | | the apps it depends on, or takes the place of | |
| cancelling | | the device's word | overdue time |
| sent, running, waiting | nothing was heard in time, and no other job is in the way | the reconciler | |
| running | its phase waits | the next try | the time its device gave |
| running | its phase has ended, or has not begun, and another job is running | the other job | |
| running | | the phase | |
| sent, waiting | another job is running | the other job | |
| sent, waiting | | the device to begin | overdue time |
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import WaitReason
from control.cancel_reasons import CancelReason
from control.live_states import LIVE_STATES
from control.waiting import WaitingFor


@dataclass(frozen=True)
class Situation:
    """A job and its device.

    Attributes:
        seen_at: When the device was last seen.
        overdue_at: When the job counts as overdue.
        queued_at: When it was put into the outbox; None once it was sent, or where it was not put there yet.
        ahead: The app of another job that is running on the device.
    """

    now: datetime
    state: JobState
    created_at: datetime
    seen_at: datetime
    online: bool
    overdue_at: datetime
    last_sign_at: datetime | None = None
    sent_at: datetime | None = None
    phase: Phase | None = None
    phase_since: datetime | None = None
    phase_ended: bool = False
    next_action_at: datetime | None = None
    next_action_reason: WaitReason | None = None
    next_action_detail: str = ""
    cancel_reason: CancelReason | None = None
    queued_at: datetime | None = None
    ahead: str | None = None


@dataclass(frozen=True)
class Waiting:
    """What a job waits for.

    Attributes:
        for_what: None once the job is over.
        since: When that began.
        until: When it ends by itself, or when something is done about it, where that is known.
        words: The same for people, with what happens next.
    """

    for_what: WaitingFor | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""


def waiting_of(job: Situation) -> Waiting:
    """What the job waits for."""
    if job.state not in LIVE_STATES:
        return Waiting(words=job.cancel_reason.sentence if job.cancel_reason else "")
    if job.state is JobState.WAITING and job.next_action_at is not None and job.now < job.next_action_at:
        return _next_attempt(job)
    if not job.online and job.state is not JobState.HELD:
        return _device(job)
    return _BY_STATE[job.state](job)


def _planned(job: Situation) -> Waiting:
    since = job.queued_at or job.created_at
    if job.queued_at is None:
        return Waiting(WaitingFor.DISPATCH, since, words="is sent when the planner comes by, or the device checks in")
    return Waiting(WaitingFor.DISPATCH, since, words="is being sent; the broker is away, or others are sent first")


def _sent(job: Situation) -> Waiting:
    since = max(moment for moment in (job.sent_at, job.last_sign_at, job.created_at) if moment is not None)
    if job.ahead is not None:
        return _other_job(job, since)
    if job.now > job.overdue_at:
        return _overdue(job, "the job was sent", since)
    words = "the device begins when it has received it; if nothing is heard until then it is sent anew"
    return Waiting(WaitingFor.BEGIN, since, job.overdue_at, words)


def _running(job: Situation) -> Waiting:
    since = job.phase_since or job.last_sign_at
    if job.next_action_at is not None and job.now < job.next_action_at:
        words = f"{job.phase} goes on at {_time(job.next_action_at)} because {_reason(job)}"
        return Waiting(WaitingFor.NEXT_TRY, since, job.next_action_at, words)
    if job.ahead is not None and job.phase_ended:
        return _other_job(job, since)
    if job.now > job.overdue_at:
        return _overdue(job, f"{job.phase} began", since)
    words = f"the phase after {job.phase} begins" if job.phase_ended else f"{job.phase} is in progress"
    return Waiting(WaitingFor.PHASE, since, words=words)


def _waiting(job: Situation) -> Waiting:
    if job.next_action_at is None:
        return _sent(job)
    if job.ahead is not None:
        return _other_job(job, job.next_action_at)
    if job.now > job.overdue_at:
        return _overdue(job, "the next attempt was due", job.next_action_at)
    words = f"next attempt due since {_time(job.next_action_at)}; if nothing is heard until then it is sent anew"
    return Waiting(WaitingFor.BEGIN, job.next_action_at, job.overdue_at, words)


def _held(job: Situation) -> Waiting:
    return Waiting(WaitingFor.RELATION, job.last_sign_at, words=job.next_action_detail or "other apps come first")


def _cancelling(job: Situation) -> Waiting:
    reason = job.cancel_reason.sentence if job.cancel_reason else ""
    words = f"the device is told to let go of it: {reason}"
    return Waiting(WaitingFor.CANCELLATION, job.last_sign_at, job.overdue_at, words)


_BY_STATE: dict[JobState, Callable[[Situation], Waiting]] = {
    JobState.PLANNED: _planned,
    JobState.SENT: _sent,
    JobState.RUNNING: _running,
    JobState.WAITING: _waiting,
    JobState.CANCELLING: _cancelling,
    JobState.HELD: _held,
}


def _next_attempt(job: Situation) -> Waiting:
    when = "" if job.next_action_at is None else _time(job.next_action_at)
    words = f"next attempt at {when} because {_reason(job)}"
    return Waiting(WaitingFor.NEXT_ATTEMPT, job.last_sign_at, job.next_action_at, words)


def _device(job: Situation) -> Waiting:
    then = {
        JobState.PLANNED: "it is sent when the device checks in",
        JobState.CANCELLING: "the device is told to let go of it when it checks in",
    }
    goes_on = then.get(job.state, "it goes on when the device is back")
    return Waiting(WaitingFor.DEVICE, job.seen_at, words=f"the device is offline since {_time(job.seen_at)}; {goes_on}")


def _other_job(job: Situation, since: datetime | None) -> Waiting:
    return Waiting(WaitingFor.OTHER_JOB, since, words=f"the device works on {job.ahead} first")


def _overdue(job: Situation, what: str, since: datetime | None) -> Waiting:
    began = "" if since is None else f" at {_time(since)}"
    words = f"overdue: {what}{began} and nothing was heard until {_time(job.overdue_at)}; it is sent anew"
    return Waiting(WaitingFor.OVERDUE, job.overdue_at, words=words)


def _reason(job: Situation) -> str:
    sentence = "" if job.next_action_reason is None else job.next_action_reason.sentence
    return f"{sentence} ({job.next_action_detail})" if job.next_action_detail else sentence


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
