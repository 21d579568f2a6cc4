"""Values as people read them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from rich.filesize import decimal

from contract.jobs import JobState
from contract.states import Intent
from control.views.jobs import JobView
from control.waiting import WaitingFor

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def intent_word(intent: Intent) -> str:
    """`required`, `uninstall`, `available`."""
    return intent.name.lower().replace("_", "-")


def size_word(size: int) -> str:
    """`176 bytes`, `1.2 MB`."""
    return decimal(size)


def time_word(moment: datetime | None) -> str:
    """The moment in the reader's own time zone; empty for none."""
    return "" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration_word(seconds: float) -> str:
    """`350 ms`, `4.2 s`, `3 min 5 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s"


def ago_word(moment: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = max(now - moment, timedelta()).total_seconds()
    for unit, length in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "now" if seconds < 1 else f"{seconds:.0f} s ago"


def progress_word(job: JobView) -> str:
    """Bytes done of bytes in all, where the phase moves any."""
    if job.bytes_total <= 0:
        return size_word(job.bytes_done) if job.bytes_done else ""
    share = min(job.bytes_done / job.bytes_total, 1)
    return f"{share:.0%} of {size_word(job.bytes_total)}"


def next_action_word(job: JobView, now: datetime) -> str:
    """What it waits for and what happens next: where there is a time, how long until then."""
    if job.waiting_until is None:
        return job.next_action
    left = job.waiting_until - now
    when = f"in {duration_word(left.total_seconds())}" if left > timedelta() else "any moment"
    return f"{job.next_action} ({when})"


def state_word(job: JobView) -> str:
    """The job's state; whether it is overdue besides."""
    return f"{job.state}, overdue" if job.waiting_for is WaitingFor.OVERDUE else job.state.value


def purpose_word(job: JobView) -> str:
    """What the job is there for: `required`, `not-targeted for Editor, only looks`."""
    parent = f" for {job.for_app}" if job.for_app else ""
    return f"{intent_word(job.intent)}{parent}{', only looks' if job.evaluates_only else ''}"


def waiting_word(job: JobView) -> str:
    """What the job waits for: `begin`, `relation (Runtime)`; empty once it is over."""
    if job.waiting_for is WaitingFor.RELATION and job.waits_for_app:
        return f"{job.waiting_for} ({job.waits_for_app})"
    return job.waiting_for or ""


def counts_word(jobs: Sequence[JobView]) -> str:
    """How many jobs are where: `3 jobs: 1 finished, 2 planned (device)`."""
    if not jobs:
        return "no jobs"
    counts = Counter(_place(job) for job in jobs)
    return f"{len(jobs)} jobs: " + ", ".join(f"{count} {place}" for place, count in counts.most_common())


def _place(job: JobView) -> str:
    outcome = job.outcome if job.state is JobState.FINISHED else None
    besides = outcome or waiting_word(job)
    return f"{job.state} ({besides})" if besides else job.state.value
