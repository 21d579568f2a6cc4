"""What planning looks at and what it decides; plain frozen values without a database behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from contract.available_apps import AppRequestKind
from contract.jobs import JobState
from contract.policy import Delivery
from contract.report import WaitReason
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.relation_mode import RelationMode
from control.targeting import Mode, TimeBasis

#: The digest of a delivery that says nothing but to look.
_LOOK_DIGEST: Final = Delivery(evaluate_only=True).digest


@dataclass(frozen=True, slots=True)
class Way:
    """How an app comes to a device, by the digests of `Delivery`: in full, and while it is only looked at."""

    full: str = ""
    look: str = _LOOK_DIGEST


@dataclass(frozen=True, slots=True)
class AssignedIntent:
    """An intent for an app on a group.

    Attributes:
        mode: Whether the group is meant, or left out of whatever other groups get.
        filter_mode: Whether what the filter matches is meant or left out.
        start_at: See `Assignment`; so are the deadline and whose clock both go by.
    """

    app_id: str
    group_id: str
    intent: Intent
    assignment_id: str = ""
    mode: Mode = Mode.INCLUDE
    filter_id: str | None = None
    filter_mode: Mode = Mode.INCLUDE
    start_at: datetime | None = None
    deadline_at: datetime | None = None
    time_basis: TimeBasis = TimeBasis.UTC
    way: Way = Way()


@dataclass(frozen=True, slots=True)
class AppLine:
    """An app as it is deployed now.

    Attributes:
        revision: The pinned one, else the newest; 0 where none is deployed.
        newest: The newest one.
    """

    name: str
    revision: int
    newest: int


@dataclass(frozen=True, slots=True)
class Relation:
    """What a revision says of another app."""

    app_id: str
    mode: RelationMode


@dataclass(frozen=True, slots=True)
class KnownJob:
    """The newest job of a device for an app.

    Attributes:
        cancel_reason: Why it was, or is being, cancelled.
        seen_since: Its device was seen after the job had ended.
        was_sent: Its device may have it, or have had it.
        wait_reason: Why its device does not go on.
        waits_for_app_id: The app that it was held for last.
    """

    job_id: str
    app_id: str
    revision: int
    intent: Intent
    state: JobState
    cancel_reason: CancelReason | None = None
    seen_since: bool = False
    was_sent: bool = True
    outcome: Outcome | None = None
    evaluates_only: bool = False
    settings_digest: str = ""
    enforcement_state: EnforcementState | None = None
    wait_reason: WaitReason | None = None
    waits_for_app_id: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RolloutHold:
    """A device that a rollout has not reached: it gets this revision of the app, or none yet."""

    device_id: str
    app_id: str
    revision: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody at the device asked for last, of an app that is available there."""

    kind: AppRequestKind
    at: datetime


@dataclass(frozen=True, slots=True)
class DeviceSituation:
    """A device as planning sees it.

    Attributes:
        is_enrolled: One that has been retired gets nothing, and is not waited for.
        time_zone: The IANA name of its zone.
        matching_filters: The filters that match its facts, of those its assignments name.
        jobs: Its newest job for each app, by app.
        holds: The revision that rollouts hold it at, by app; None for none yet.
        requests: What was asked for at the device, by app.
    """

    device_id: str
    is_enrolled: bool = True
    group_ids: tuple[str, ...] = ()
    time_zone: str = "UTC"
    matching_filters: frozenset[str] = frozenset()
    jobs: Mapping[str, KnownJob] = field(default_factory=dict)
    holds: Mapping[str, int | None] = field(default_factory=dict)
    requests: Mapping[str, Request] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is the same for all devices.

    Attributes:
        assignments: By group.
        apps: What can be deployed, by app.
        relations: By app and revision.
        deliveries: What the digests in `Way` stand for.
    """

    now: datetime
    assignments: Mapping[str, tuple[AssignedIntent, ...]]
    apps: Mapping[str, AppLine]
    relations: Mapping[tuple[str, int], tuple[Relation, ...]] = field(default_factory=dict)
    deliveries: Mapping[str, Delivery] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fleet:
    """All that planning looks at."""

    demand: Demand
    devices: tuple[DeviceSituation, ...]


@dataclass(frozen=True, slots=True)
class Want:
    """What a device should have got by now for an app.

    Attributes:
        evaluates_only: The device only looks.
        settings_digest: How it is delivered.
        for_app_id: The app whose relation wants it; None where it is assigned.
    """

    app_id: str
    revision: int
    intent: Intent
    evaluates_only: bool = False
    settings_digest: str = ""
    for_app_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is to be made.

    Attributes:
        reason: Whether the device has had a job for the app, for another revision or intent, or has been given up.
        replaces: The id of the job whose place it takes, if any.
    """

    device_id: str
    want: Want
    reason: GenerationReason = GenerationReason.PLANNED
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A job that stays and is delivered, or wanted, in another way."""

    job_id: str
    want: Want


@dataclass(frozen=True, slots=True)
class Mark:
    """What relations make of a job that its device has ended.

    Attributes:
        held: Whether it is not over: other apps come first.
        waits_for_app_id: The app that it waits for, or that it suffers from.
        words: The same for people.
    """

    job_id: str
    enforcement_state: EnforcementState
    held: bool
    waits_for_app_id: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What planning decided.

    Attributes:
        make: Jobs to make, at most one for each device and app.
        cancel: Ids of live jobs that nobody wants any more and that nothing runs of, to be cancelled before the new
            ones are made.
        recall: Ids of running jobs that nobody wants any more; their devices are told to let go of them first.
        release: Ids of cancelled jobs that hold their place no longer: something else is wanted by now, or nothing.
        advance: Jobs that were evaluated only, and that are sent in full now.
        adjust: Live jobs whose way of delivery has changed.
        look_again: Ids of jobs that looked for an app some time ago, and are sent anew.
        marks: What relations make of jobs.
        void: Requests for apps that their devices are not offered any more, by device and app.
    """

    make: tuple[NewJob, ...] = ()
    cancel: tuple[str, ...] = ()
    recall: tuple[str, ...] = ()
    release: tuple[str, ...] = ()
    advance: tuple[Changed, ...] = ()
    adjust: tuple[Changed, ...] = ()
    look_again: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    void: tuple[tuple[str, str], ...] = ()
