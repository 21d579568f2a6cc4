"""The entries of a manifest's lists and objects, in the words of win32LobApp (package 4.4 to 4.7)."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from contract.installer_secrets import SecretFileName, SecretName, VariableName, require_one_way
from contract.policy import FailureClass
from contract.rules import RunAsAccount

RestartBehavior = Literal["basedOnReturnCode", "allow", "suppress", "force"]
NotificationWord = Literal["showAll", "showReboot", "hideAll"]
ReturnCodeWord = Literal["success", "softReboot", "hardReboot", "retry", "failed"]
DependencyType = Literal["autoInstall", "detect"]
SupersedenceType = Literal["update", "replace"]
SecretCommand = Literal["install", "uninstall", "both"]

#: Characters in the name of an app or a group.
MAX_NAME_LENGTH = 200

_ONE_DAY_IN_MINUTES = 1440
_ONE_MONTH_IN_HOURS = 720


class ManifestPart(BaseModel):
    """What all parts of a manifest have in common: never changed, camel case in files, no unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class InstallExperienceEntry(ManifestPart):
    """In whose name the commands run, for how long, and what may restart the device."""

    run_as_account: RunAsAccount = Field(default=RunAsAccount.SYSTEM, description="`system` or `user`.")
    device_restart_behavior: RestartBehavior = Field(
        default="basedOnReturnCode", description="What may restart the device after an install."
    )
    max_run_time_in_minutes: float = Field(
        default=60,
        gt=0,
        le=_ONE_DAY_IN_MINUTES,
        description="After this the installer is ended with all its processes.",
    )


class RestartSettingsEntry(ManifestPart):
    """How long a restart may be put off, and how it is announced; the names and limits are Graph's."""

    grace_period_in_minutes: float = Field(
        default=_ONE_DAY_IN_MINUTES,
        ge=0,
        le=14 * _ONE_DAY_IN_MINUTES,
        description="From the end of the install to the restart; at most two weeks.",
    )
    countdown_display_before_restart_in_minutes: float = Field(
        default=15, ge=0, le=240, description="How long before the restart its countdown begins."
    )
    restart_notification_snooze_duration_in_minutes: float = Field(
        default=240, gt=0, le=14 * _ONE_DAY_IN_MINUTES, description="From one reminder to the next."
    )


class ReturnCodeEntry(ManifestPart):
    """What one exit code of the installer means."""

    return_code: int = Field(description="The exit code.")
    type: ReturnCodeWord = Field(description="What it means.")


class RetryEntry(ManifestPart):
    """Waits that grow, for one class of failure, in place of attempts, interval and GRS."""

    failure: FailureClass = Field(
        description="`installer`, `rules`, `content`, `control-plane` or `interrupted`; one entry for each at most."
    )
    first_wait_in_minutes: float = Field(
        default=5, gt=0, le=_ONE_DAY_IN_MINUTES, description="After the first failure; fractions are fine."
    )
    growth: float = Field(default=2, ge=1, le=10, description="Each further wait is so many times the one before.")
    longest_wait_in_hours: float = Field(
        default=24, gt=0, le=_ONE_MONTH_IN_HOURS, description="No wait is longer; fractions are fine."
    )


class SecretEntry(ManifestPart):
    """A secret that a command is given: by a variable or as a file."""

    name: SecretName = Field(description="The secret's name; it has to exist.")
    env: VariableName | None = Field(default=None, description="The environment variable that holds it.")
    file: SecretFileName | None = Field(
        default=None, description="The name of a file that holds it, in the folder `OUTRIDER_SECRETS_DIR` names."
    )
    command: SecretCommand = Field(
        default="install", description="Which command is given it: `install`, `uninstall` or `both`."
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        require_one_way(self.env, self.file)
        return self

    @property
    def place(self) -> tuple[str, str]:
        """Where the command finds it; systems may take variables, and files, that differ in case only for the same."""
        return ("env", self.env.upper()) if self.env else ("file", (self.file or "").upper())


class DependencyEntry(ManifestPart):
    """An app that has to be there first (package 4.6)."""

    app: str = Field(min_length=1, max_length=MAX_NAME_LENGTH, description="The other app's name.")
    dependency_type: DependencyType = Field(
        default="autoInstall", description="Whether to install it, or only to look for it."
    )


class SupersedenceEntry(ManifestPart):
    """An app that this one takes the place of (package 4.6)."""

    app: str = Field(min_length=1, max_length=MAX_NAME_LENGTH, description="The other app's name.")
    supersedence_type: SupersedenceType = Field(
        description="`update` leaves the other app in place, `replace` uninstalls it."
    )
