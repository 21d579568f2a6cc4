"""How many jobs are where, and what went wrong how often."""

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import WaitReason
from contract.states import Outcome
from control.views.base import View


class JobCount(View):
    """How many jobs are in the same place.

    Attributes:
        reason: Why their devices wait, where they do.
        online: Whether their devices are; None for jobs of which nothing is to come soon.
    """

    state: JobState
    outcome: Outcome | None
    reason: WaitReason | None
    online: bool | None
    jobs: int


class JobSummary(View):
    """Where the jobs are, in numbers that add up to `jobs`; of each device and app the newest job counts.

    Attributes:
        done: Their devices are as wanted.
        not_applicable: The app is not for their devices, as these found out.
        failed: All attempts have failed; the next one, if any, comes after a long wait.
        cancelled: By an operator.
        retrying: An attempt has failed, and the next one follows soon.
        under_way: All others.
        offline: Those of the last two whose devices are offline.
        counts: The same in detail.
    """

    jobs: int
    done: int
    not_applicable: int
    failed: int
    cancelled: int
    retrying: int
    under_way: int
    offline: int
    counts: tuple[JobCount, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nothing more happens soon."""
        return self.retrying == self.under_way == 0


class ErrorCount(View):
    """An error, and how many jobs have it now.

    Attributes:
        code: The error's name in the table.
        number: Its 32-bit code, where devices report one.
        devices: One or a few of the devices, to look at.
        sentence: What happened; empty for an error that a newer device knows and this side does not.
        hint: What to do about it.
    """

    code: str
    number: int | None
    phase: Phase | None
    app: str
    jobs: int
    devices: tuple[str, ...]
    sentence: str
    hint: str
