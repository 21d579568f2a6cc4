"""What the operator's API takes and answers; the CLI reads the same models."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import PhaseRecord, WaitReason
from contract.states import EnforcementState, Intent, Outcome
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.roles import Role
from control.steering.decisions import Change
from control.waiting import WaitingFor

#: How many devices one token may enrol, and for how long it may be good.
MAX_TOKEN_USES: Final = 1_000_000
MAX_TOKEN_LIFETIME_SECONDS: Final = 365 * 86_400


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PackageView(_View):
    """A package that was taken in.

    Attributes:
        digest: SHA-256 of the encrypted content; names the package from now on.
        size: Bytes of the encrypted content.
    """

    digest: str
    size: int
    plain_size: int
    name: str
    setup_file: str


class RevisionView(_View):
    """One revision of an app."""

    number: int
    display_version: str
    package_digest: str
    size: int
    created_at: datetime


class AssignmentView(_View):
    """An intent for an app on a group."""

    app: str
    group: str
    intent: Intent
    created_at: datetime


class AppView(_View):
    """An app with its newest revision."""

    id: str
    name: str
    publisher: str
    display_version: str
    revision: int
    revisions: int
    created_at: datetime


class AppDetail(_View):
    """An app with its revisions, newest first, the newest manifest, and where it is assigned."""

    id: str
    name: str
    created_at: datetime
    revisions: tuple[RevisionView, ...]
    manifest: dict[str, Any]
    assignments: tuple[AssignmentView, ...]


class PublishRequest(_Request):
    """A manifest and the digest of a package that is there already."""

    manifest: dict[str, Any]
    package: str


class PublishReply(_View):
    """The revision that was made, or found as it was.

    Attributes:
        created: Whether it is new.
        assignments: Where the app is assigned now.
        warnings: What the manifest says that is not acted on, in sentences.
    """

    app_id: str
    app: str
    revision: int
    created: bool
    assignments: tuple[AssignmentView, ...] = ()
    warnings: tuple[str, ...] = ()


class GroupRequest(_Request):
    """A new group; its name is part of addresses, so it holds no slash."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f]+$")


class GroupView(_View):
    """A group and how many devices are in it."""

    id: str
    name: str
    members: int
    created_at: datetime


class GroupDetail(_View):
    """A group with its devices."""

    id: str
    name: str
    created_at: datetime
    devices: tuple["DeviceView", ...]


class AssignmentRequest(_Request):
    """An intent for an app on a group, by their names."""

    app: str
    group: str
    intent: Intent = Intent.REQUIRED


class EnrollmentTokenRequest(_Request):
    """A token for devices to enrol with."""

    group: str | None = None
    uses: int = Field(default=1, ge=1, le=MAX_TOKEN_USES)
    lifetime_seconds: float = Field(default=3600, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class EnrollmentTokenView(_View):
    """A new token; it cannot be shown again."""

    token: str = Field(repr=False)
    group: str | None
    uses: int
    expires_at: datetime
    url: str


class OperatorTokenRequest(_Request):
    """A token for an operator.

    Attributes:
        groups: Names of the groups it is confined to; none for the whole fleet.
        lifetime_seconds: None for a token that does not expire.
    """

    name: str = Field(min_length=1, max_length=100)
    role: Role = Role.VIEWER
    groups: tuple[str, ...] = ()
    lifetime_seconds: float | None = Field(default=30 * 86_400, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class OperatorTokenView(_View):
    """An operator's token, without itself."""

    id: str
    name: str
    role: Role
    groups: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class NewOperatorTokenView(OperatorTokenView):
    """A new token; it cannot be shown again."""

    token: str = Field(repr=False)


class AuditEntryView(_View):
    """One change that was made."""

    sequence: int
    at: datetime
    actor: str
    source: str
    action: str
    target: str
    before: Any
    after: Any
    seal: str


class AuditVerdictView(_View):
    """Whether the audit log is whole.

    Attributes:
        head: The newest entry's seal; kept elsewhere it shows later whether the end was cut off.
        broken_at: The first entry that is missing or was changed.
    """

    entries: int
    head: str
    broken_at: int | None


class ReplacementRequest(_Request):
    """A token for the device that takes another one's place."""

    lifetime_seconds: float = Field(default=86_400, gt=0, le=MAX_TOKEN_LIFETIME_SECONDS)


class DeviceView(_View):
    """A device.

    Attributes:
        online: Whether it was seen within its check-in interval.
    """

    id: str
    name: str
    online: bool
    os_name: str
    os_version: str
    architecture: str
    agent_version: str
    last_seen_at: datetime
    enrolled_at: datetime


class JobView(_View):
    """A job: one revision, one device, one intent.

    Attributes:
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

    id: str
    device_id: str
    device: str
    app: str
    revision: int
    intent: Intent
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


class DeviceDetail(DeviceView):
    """A device with what it says of itself, its groups and its jobs."""

    facts: dict[str, Any]
    groups: tuple[str, ...]
    jobs: tuple[JobDetail, ...]


class JobSelection(_Request):
    """The newest jobs of an app, of a group's devices, of a device; of all that are given."""

    app: str | None = None
    group: str | None = None
    device: str | None = None


class SteeringRequest(_Request):
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


class SteeredJob(_View):
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


class SteeringReply(_View):
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


class Health(_View):
    """Whether the API can do its work."""

    status: str = "ok"
