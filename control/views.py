"""What the operator's API takes and answers; the CLI reads the same models."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from contract.jobs import JobState
from contract.phases import Phase
from contract.report import PhaseRecord, WaitReason
from contract.states import EnforcementState, Intent, Outcome

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
        next_action_at: When something happens next by itself; `next_action_reason` says why only then.
        next_action: The same in words.
    """

    id: str
    device_id: str
    device: str
    app: str
    revision: int
    intent: Intent
    state: JobState
    generation: int
    attempt: int
    phase: Phase | None
    bytes_done: int
    bytes_total: int
    outcome: Outcome | None
    enforcement_state: EnforcementState | None
    error_code: str | None
    error_number: int | None
    error_detail: str
    raw_exit_code: int | None
    hint: str
    next_action: str
    next_action_at: datetime | None
    next_action_reason: WaitReason | None
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


class Health(_View):
    """Whether the API can do its work."""

    status: str = "ok"
