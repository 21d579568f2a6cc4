"""Orders about jobs, and what came of them."""

from contract.jobs import JobState
from control.steering.decisions import Change
from control.views.base import Request, View
from control.views.job_selection import JobSelection


class SteeringRequest(Request):
    """How to retry or cancel.

    Attributes:
        force: Retry also what runs or is as desired; cancel by ending the running command.
        dry_run: Only say what would come of it.
    """

    force: bool = False
    dry_run: bool = False


class BulkSteeringRequest(SteeringRequest):
    """The same for many jobs."""

    selection: JobSelection


class SteeredJob(View):
    """What came of it for one job.

    Attributes:
        state: Where the job was.
        refusal: The error's name in the table, where it was refused.
    """

    id: str
    device: str
    app: str
    state: JobState
    change: Change
    refusal: str | None


class SteeringReply(View):
    """What came of it.

    Attributes:
        matched: How many jobs were looked at.
        changes: How many of each change.
        jobs: The first of the jobs, those that were refused before all others.
    """

    dry_run: bool
    matched: int
    changes: dict[Change, int]
    jobs: tuple[SteeredJob, ...]
