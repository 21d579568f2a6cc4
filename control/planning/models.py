"""What planning looks at and what it decides; plain frozen values without a database behind them."""

from collections.abc import Mapping
from dataclasses import dataclass

from contract.jobs import JobState
from contract.states import Intent
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason


@dataclass(frozen=True)
class AssignedIntent:
    """An intent for an app on a group."""

    app_id: str
    group_id: str
    intent: Intent


@dataclass(frozen=True)
class Membership:
    """A device in a group."""

    group_id: str
    device_id: str


@dataclass(frozen=True)
class KnownJob:
    """The newest job of a device for an app.

    Attributes:
        cancel_reason: Why it was, or is being, cancelled.
        seen_since: Its device was seen after the job had ended.
    """

    job_id: str
    device_id: str
    app_id: str
    revision: int
    intent: Intent
    state: JobState
    cancel_reason: CancelReason | None = None
    seen_since: bool = False


@dataclass(frozen=True)
class NewJob:
    """A job that is to be made.

    Attributes:
        reason: Whether the device has had a job for the app, for another revision or intent, or has been given up.
    """

    device_id: str
    app_id: str
    revision: int
    intent: Intent
    reason: GenerationReason = GenerationReason.PLANNED


@dataclass(frozen=True)
class Fleet:
    """All that planning looks at.

    Attributes:
        devices: The enrolled devices; those not listed get nothing.
        newest_revisions: The newest revision of each app.
        jobs: The newest job for each device and app that has one.
    """

    assignments: tuple[AssignedIntent, ...]
    memberships: tuple[Membership, ...]
    devices: frozenset[str]
    newest_revisions: Mapping[str, int]
    jobs: tuple[KnownJob, ...]


@dataclass(frozen=True)
class Plan:
    """What planning decided.

    Attributes:
        make: Jobs to make, at most one for each device and app.
        cancel: Ids of live jobs that nobody wants any more and that nothing runs of, to be cancelled before the new
            ones are made.
        recall: Ids of running jobs that nobody wants any more; their devices are told to let go of them first.
        release: Ids of cancelled jobs that hold their place no longer: something else is wanted by now, or nothing.
    """

    make: tuple[NewJob, ...]
    cancel: tuple[str, ...]
    recall: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
