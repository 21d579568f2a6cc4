"""The policy: all a device needs to process one revision of an app. Signed, and the same for every device."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from contract.documents import Document, Fragment
from contract.installer_secrets import MAX_SECRETS, SecretUse
from contract.maintenance import MaintenanceWindow
from contract.rules import Rule, RunAsAccount
from contract.states import DeviceRestartBehavior, Intent, NotificationLevel, ReturnCodeType


class Commands(Fragment):
    """The command lines, as a packager types them; they run in the unpacked content's folder."""

    install: str = Field(min_length=1)
    uninstall: str = Field(min_length=1)


class ReturnCode(Fragment):
    """What one exit code of the installer means."""

    return_code: int
    type: ReturnCodeType


#: The map every app starts with (behaviour 2.7).
DEFAULT_RETURN_CODES: tuple[ReturnCode, ...] = (
    ReturnCode(return_code=0, type=ReturnCodeType.SUCCESS),
    ReturnCode(return_code=1707, type=ReturnCodeType.SUCCESS),
    ReturnCode(return_code=3010, type=ReturnCodeType.SOFT_REBOOT),
    ReturnCode(return_code=1641, type=ReturnCodeType.HARD_REBOOT),
    ReturnCode(return_code=1618, type=ReturnCodeType.RETRY),
)


class FailureClass(StrEnum):
    """What kind of failure ended an attempt: each may have a schedule of its own."""

    #: The installer could not be started, failed, took too long, or detection does not agree with it.
    INSTALLER = "installer"
    #: Detection or a requirement could not be evaluated.
    RULES = "rules"
    #: The content could not be fetched, verified or unpacked.
    CONTENT = "content"
    #: The control plane did not answer, or what it answered was refused.
    CONTROL_PLANE = "control-plane"
    #: The agent or the device went down with the installer.
    INTERRUPTED = "interrupted"


class RetrySchedule(Fragment):
    """Growing waits in place of rounds and GRS.

    Attributes:
        first_wait_seconds: After the first failure.
        growth: Each further wait is so many times the one before.
        longest_wait_seconds: No wait is longer.
    """

    first_wait_seconds: float = Field(default=300, gt=0)
    growth: float = Field(default=2, ge=1)
    longest_wait_seconds: float = Field(default=86_400, gt=0)

    def wait_seconds(self, failures: int) -> float:
        """The wait after so many failures in a row, at least 1."""
        wait = self.first_wait_seconds
        # Multiplied one by one and never beyond the longest, so that years of failures overflow nothing.
        for _ in range(failures - 1):
            if wait >= self.longest_wait_seconds or self.growth == 1:
                break
            wait *= self.growth
        return min(wait, self.longest_wait_seconds)


class Limits(Fragment):
    """How often and how long; the defaults are the original's (behaviour N-02 to N-05, C-09).

    Attributes:
        attempts: Attempts in all, before the GRS wait.
        retry_interval_seconds: Between two attempts.
        grs_seconds: The wait after the last attempt failed.
        max_run_time_seconds: After this the installer is ended with all its processes.
        schedules: Other waits for some classes of failure; `attempts`, interval and GRS hold for all others.
    """

    attempts: int = Field(default=3, ge=1)
    retry_interval_seconds: float = Field(default=300, ge=0)
    grs_seconds: float = Field(default=86_400, ge=0)
    max_run_time_seconds: float = Field(default=3600, gt=0)
    schedules: Mapping[FailureClass, RetrySchedule] = Field(default_factory=dict)


class Requirements(Fragment):
    """What a device must have; None means any.

    Attributes:
        architectures: Of `x64`, `arm64`, `x86`, `arm`; empty means any.
        operating_systems: Of `linux`, `windows`, `macos`; empty means any.
        minimum_os_release: The oldest release, compared numerically part by part.
        rules: File, registry and script rules; all must hold.
    """

    architectures: frozenset[str] = frozenset()
    operating_systems: frozenset[str] = frozenset()
    minimum_os_release: str | None = None
    minimum_free_disk_space_in_mb: int | None = Field(default=None, ge=0)
    minimum_memory_in_mb: int | None = Field(default=None, ge=0)
    minimum_number_of_processors: int | None = Field(default=None, ge=0)
    minimum_cpu_speed_in_mhz: int | None = Field(default=None, ge=0)
    rules: tuple[Rule, ...] = ()


class InstallExperience(Fragment):
    """In whose name the commands run and what may restart the device."""

    run_as_account: RunAsAccount = RunAsAccount.SYSTEM
    device_restart_behavior: DeviceRestartBehavior = DeviceRestartBehavior.BASED_ON_RETURN_CODE


class RestartSettings(Fragment):
    """How long a restart may be put off, and how it is announced (behaviour 2.10).

    Attributes:
        grace_period_seconds: From the end of the install to the restart; at most two weeks.
        countdown_seconds: Before the deadline, when the restart can no longer be overlooked.
        snooze_seconds: From one reminder to the next.
    """

    grace_period_seconds: float = Field(default=86_400, ge=0, le=1_209_600)
    countdown_seconds: float = Field(default=900, ge=0)
    snooze_seconds: float = Field(default=14_400, gt=0)


class DeliveryPriority(StrEnum):
    """How soon a device fetches and installs beside its other work."""

    BACKGROUND = "background"
    FOREGROUND = "foreground"


class DeliverySettings(Fragment):
    """What an assignment says about how an app comes to a device; None leaves it to the app's revision.

    Attributes:
        notifications: What the person at the device is told.
        restart: How long a restart may be put off.
        priority: See `DeliveryPriority`.
        windows: The command is run only while one of them is open by the device's own clock; none for any time.
    """

    notifications: NotificationLevel | None = None
    restart: RestartSettings | None = None
    priority: DeliveryPriority = DeliveryPriority.BACKGROUND
    windows: tuple[MaintenanceWindow, ...] = Field(default=(), max_length=50)


class Delivery(DeliverySettings):
    """The settings of the assignment that decided, and what planning adds to them.

    Attributes:
        deadline_at: The command is not run before this time, content may be fetched earlier; None for at once
            (behaviour 2.10).
        deadline_is_local: Whether the deadline is what the clock on the device's wall shows, kept as if that were UTC.
        evaluate_only: Detect and check requirements, and execute nothing.
    """

    deadline_at: datetime | None = None
    deadline_is_local: bool = False
    evaluate_only: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 in lower-case hex of all that is said; empty where nothing differs from the revision."""
        said = self.model_dump_json(exclude_defaults=True)
        return "" if said == "{}" else hashlib.sha256(said.encode()).hexdigest()


class ContentRef(Fragment):
    """The encrypted content a revision installs from, and how to know it is the right one.

    Attributes:
        digest: SHA-256 of the encrypted blob in lower-case hex: its address in the store.
        size: Bytes of the encrypted blob.
        plain_size: Bytes of the decrypted zip.
        plain_digest: SHA-256 of the decrypted zip.
        mac: HMAC-SHA256 over IV and ciphertext.
        mac_key: The key of that HMAC. The encryption key is never in a policy.
        initialization_vector: The IV of AES-256-CBC.
    """

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)
    plain_size: int = Field(ge=0)
    plain_digest: bytes
    mac: bytes
    mac_key: bytes
    initialization_vector: bytes


class Policy(Document):
    """Commands, rules, return codes, limits and content of one revision for one intent.

    Attributes:
        app_id: The app: a line of revisions.
        app_name: Its name for people.
        revision: 1, 2, ... within the app; a device never goes back to a smaller one.
        intent: What is wanted of it.
        detection_rules: All must hold for the app to count as installed.
        secrets: What the command of this intent is given that must not be in a policy.
        return_codes: What the installer's exit codes mean; unlisted ones mean failure.
        delivery: What the assignment says besides; `restart` and `notifications` have its words in them already.
        issued_at: When it was signed.
        expires_at: When it stops being valid.
    """

    app_id: str = Field(min_length=1)
    app_name: str = Field(min_length=1)
    app_version: str = ""
    publisher: str = ""
    revision: int = Field(ge=1)
    intent: Intent
    commands: Commands
    secrets: tuple[SecretUse, ...] = Field(default=(), max_length=MAX_SECRETS)
    detection_rules: tuple[Rule, ...] = Field(min_length=1)
    requirements: Requirements = Requirements()
    return_codes: tuple[ReturnCode, ...] = DEFAULT_RETURN_CODES
    limits: Limits = Limits()
    install_experience: InstallExperience = InstallExperience()
    restart: RestartSettings = RestartSettings()
    notifications: NotificationLevel = NotificationLevel.SHOW_ALL
    delivery: Delivery = Delivery()
    content: ContentRef
    issued_at: datetime
    expires_at: datetime

    @property
    def content_folder_name(self) -> str:
        """`<app>_<revision>`, the name in every cache of the device (behaviour N-17)."""
        return f"{self.app_id}_{self.revision}"
