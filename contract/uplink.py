"""What a device says to the control plane over HTTPS, and what it hears back. The paths are here, too."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from contract.documents import Document, Fragment
from contract.envelopes import SignedEnvelope
from contract.installer_secrets import MAX_SECRETS, SecretName
from contract.jobs import ID_PATTERN
from contract.report import Progress

#: The routes of the device's side of the API.
ENROLL_PATH = "/v1/device/enroll"
CHECK_IN_PATH = "/v1/device/check-in"
POLICY_PATH = "/v1/device/jobs/{job_id}/policy"
CONTENT_INFO_PATH = "/v1/device/jobs/{job_id}/content-info"
SECRETS_PATH = "/v1/device/jobs/{job_id}/secrets"
PROGRESS_PATH = "/v1/device/progress"
KEYS_PATH = "/v1/device/keys"
TRUSTED_KEYS_PATH = "/v1/device/trusted-keys"
ORDERS_PATH = "/v1/device/orders"
REPORTS_PATH = "/v1/device/reports"
AVAILABLE_APPS_PATH = "/v1/device/apps"
APP_REQUESTS_PATH = "/v1/device/app-requests"

#: The header of every answer at `POLICY_PATH` that says why the job has the generation it has; a `GenerationReason`.
GENERATION_REASON_HEADER = "Outrider-Generation-Reason"

#: The header of every answer at `POLICY_PATH` that says which version of the trusted keys is the newest.
TRUSTED_KEYS_VERSION_HEADER = "Outrider-Trusted-Keys-Version"

#: Versions of the trusted keys in one answer; who is further behind asks again.
MAX_TRUSTED_KEYS_VERSIONS = 16

#: Bodies larger than this are refused before they are parsed.
MAX_BODY_BYTES = 1024 * 1024

#: A device cannot have counted further.
MAX_COUNT = 1_000_000_000


class DeviceFacts(Fragment):
    """What a device says of itself; groups and filters may look at it.

    Attributes:
        os_name: `linux`, `windows` or `macos`.
        architecture: `x64`, `arm64`, `x86` or `arm`.
        time_zone: The IANA name, for maintenance windows.
        manufacturer: Who made the device; empty where it does not say so.
        model: Its model; empty where it does not say so.
    """

    hostname: str
    os_name: str
    os_version: str
    architecture: str
    agent_version: str
    processors: int = Field(ge=1)
    memory_in_mb: int = Field(ge=0)
    free_disk_space_in_mb: int = Field(ge=0)
    time_zone: str = "UTC"
    manufacturer: str = ""
    model: str = ""


class EnrollmentRequest(Document):
    """A device asks to join.

    Attributes:
        token: The enrolment token an operator handed out.
        name: The device's name for people.
        signing_key: Its raw Ed25519 public key.
        sealing_key: Its raw X25519 public key.
        proof: Ed25519 signature over `proof_message`: the device holds the private key.
    """

    token: str = Field(repr=False)
    name: str = Field(min_length=1, max_length=200)
    signing_key: bytes
    sealing_key: bytes
    proof: bytes
    facts: DeviceFacts


def proof_message(token: str, name: str, signing_key: bytes, sealing_key: bytes) -> bytes:
    """What an enrolling device signs: token, name and both keys, so that none can be exchanged on the way."""
    return b"\0".join((b"outrider-enrollment-1", token.encode(), name.encode(), signing_key, sealing_key))


class KeyRotation(Document):
    """An enrolled device has new keys; the request is signed with its old one.

    Attributes:
        signing_key: The new raw Ed25519 public key.
        sealing_key: The new raw X25519 public key.
        proof: Ed25519 signature over `rotation_message`, made with the new key.
    """

    signing_key: bytes
    sealing_key: bytes
    proof: bytes


def rotation_message(device_id: str, signing_key: bytes, sealing_key: bytes) -> bytes:
    """What the new signing key signs: for which device both new keys are."""
    return b"\0".join((b"outrider-key-rotation-1", device_id.encode(), signing_key, sealing_key))


class EnrollmentReply(Document):
    """What a device needs from now on.

    Attributes:
        broker_url: Where orders come from, without user or secret.
        broker_user: The device's own broker user; it can touch the device's own queue only.
        trusted_keys: The newest `TrustedKeys`, as it was signed.
    """

    device_id: str = Field(pattern=ID_PATTERN)
    broker_url: str
    broker_user: str
    broker_secret: str = Field(repr=False)
    trusted_keys: SignedEnvelope
    check_in_interval_seconds: float = Field(default=3600, gt=0)


class TrustedKeysReply(Document):
    """The versions of `TrustedKeys` that follow the one a device knows, in order, as they were signed."""

    chain: tuple[SignedEnvelope, ...] = Field(max_length=MAX_TRUSTED_KEYS_VERSIONS)


class CheckInReason(StrEnum):
    """Why a device checks in (behaviour 2.2)."""

    AGENT_RESTART = "AgentRestart"
    MAINTENANCE_TIMER = "MaintenanceTimer"
    USER_REQUEST = "UserRequest"
    PUSH = "Push"


class CheckIn(Document):
    """A device says that it is there.

    Attributes:
        remembers_until: When the newest attempt in its ledger began; None where it knows of none. A device that
            remembers less than before came back from an old image.
        refused_messages: Messages of its queue that it did not let in since its agent started.
        broker_url: The broker it listens at, without user or secret; empty where none of it listens.
    """

    reason: CheckInReason
    facts: DeviceFacts
    remembers_until: datetime | None = None
    refused_messages: int = Field(default=0, ge=0, le=MAX_COUNT)
    broker_url: str = Field(default="", max_length=1000)


class GenerationReason(StrEnum):
    """Why a job has the generation it has."""

    #: It is wanted; nothing of it was sent before.
    PLANNED = "planned"
    #: Another revision or intent than the device had a job for.
    REVISION = "revision"
    #: An operator said "retry now".
    OPERATOR = "operator"
    #: Somebody at the device asked for the app.
    REQUEST = "request"
    #: An operator wants to know how the device stands: it looks again, and a wait goes on.
    DETECTION = "detection"
    #: It was due and not heard of, or the broker had lost it.
    RECONCILER = "reconciler"
    #: The device came back from an old image, or after it had been given up.
    RESTORED = "restored"
    #: The apps that it waited for are there, or gone; or those that wait for it want to know anew.
    RELATIONS = "relations"

    @property
    def ends_grs(self) -> bool:
        """Whether the device goes on at once although it waits for the GRS (design, 3)."""
        return self in {GenerationReason.OPERATOR, GenerationReason.REQUEST, GenerationReason.REVISION}


class OrderKind(StrEnum):
    """What an operator wants of a job that a device has already."""

    #: End it at the next safe point: before the next phase, or when its wait is over. A running command is not touched.
    CANCEL = "cancel"
    #: End it now, a running command with all its processes included.
    STOP = "stop"


class JobOrder(Fragment):
    """An order about one job; it concerns the generation it names and all older ones, never a newer one.

    The device confirms with a report of that job without a next action, its outcome `Outcome.CANCELLED`; where nothing
    of the job is left on it, dropping the message is enough.
    """

    job_id: str = Field(pattern=ID_PATTERN)
    generation: int = Field(ge=1)
    kind: OrderKind


class OrdersReply(Document):
    """The orders that stand for a device; the same until the jobs they concern have been reported."""

    orders: tuple[JobOrder, ...] = Field(default=(), max_length=1000)


class CheckInReply(Document):
    """What a device hears when it checks in.

    Attributes:
        jobs_sent: How many jobs are on their way to it because of this check-in.
        orders: See `OrdersReply`.
        server_time: The control plane's clock.
        trusted_keys_version: The newest version of the trusted keys.
        broker_url: The broker it is to listen at from now on, as the same user; None where it does.
    """

    jobs_sent: int = Field(ge=0)
    check_in_interval_seconds: float = Field(gt=0)
    server_time: datetime
    trusted_keys_version: int = Field(ge=1)
    orders: tuple[JobOrder, ...] = Field(default=(), max_length=1000)
    broker_url: str | None = None


class ContentInfo(Document):
    """Where the content is, and the key to it, sealed to the asking device.

    Attributes:
        url: A presigned URL of exactly one object.
        size: Bytes of that object.
        sealed_key: The content key, opened by the device's sealing key with `content_key_context`.
    """

    url: str = Field(repr=False)
    expires_at: datetime
    size: int = Field(ge=0)
    sealed_key: bytes


def content_key_context(job_id: str, device_id: str, content_digest: str) -> bytes:
    """What a sealed content key is bound to: opened for another job, device or content it is refused."""
    return f"outrider-content-key-1 {job_id} {device_id} {content_digest}".encode()


class SealedSecret(Fragment):
    """A secret that a job's command is given, sealed to the asking device.

    Attributes:
        version: Raised whenever the secret is set anew; the newest is given.
        sealed: The value as UTF-8, opened by the device's sealing key with `secret_context`.
    """

    name: SecretName
    version: int = Field(ge=1)
    sealed: bytes


class SecretsReply(Document):
    """All secrets that a job's policy names."""

    secrets: tuple[SealedSecret, ...] = Field(max_length=MAX_SECRETS)


def secret_context(job_id: str, device_id: str, name: str) -> bytes:
    """What a sealed secret is bound to: opened for another job, device or name it is refused."""
    return f"outrider-installer-secret-1 {job_id} {device_id} {name}".encode()


class ProgressBatch(Document):
    """Progress of one or several attempts, sent together."""

    items: tuple[Progress, ...] = Field(min_length=1, max_length=1000)


class Problem(Fragment):
    """An error of the API, as problem+json (RFC 9457) with the error table's words.

    Attributes:
        code: The error's name in the table.
        detail: The facts of this case.
    """

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    place: str = ""
    hint: str = ""
    retry_helps: bool = False
