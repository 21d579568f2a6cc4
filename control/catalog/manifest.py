"""The manifest: all that is said of an app besides its package, in the words of win32LobApp (package 4)."""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from contract.installer_secrets import MAX_SECRETS
from contract.rules import Rule
from control.catalog.assignment_entries import AssignmentEntry
from control.catalog.manifest_checks import (
    misfit_assignments,
    misfit_relations,
    misfit_retries,
    misfit_roles,
    misfit_secrets,
)
from control.catalog.manifest_entries import (
    MAX_NAME_LENGTH,
    DependencyEntry,
    InstallExperienceEntry,
    ManifestPart,
    NotificationWord,
    RestartSettingsEntry,
    RetryEntry,
    ReturnCodeEntry,
    SecretEntry,
    SupersedenceEntry,
)

Architecture = Literal["x64", "arm64", "x86", "arm"]
OperatingSystem = Literal["linux", "windows", "macos"]

#: What Graph takes at most (package 4.6).
_MAX_DEPENDENCIES = 100
_MAX_SUPERSEDED = 10


class Manifest(ManifestPart):
    """An app as a packager describes it in a YAML file."""

    name: str = Field(
        min_length=1,
        max_length=MAX_NAME_LENGTH,
        description="The app's name; a manifest with a known name makes a new revision.",
    )
    display_version: str = Field(default="", max_length=100, description="The version people see.")
    publisher: str = Field(default="", max_length=200, description="Who makes the app.")
    description: str = Field(default="", description="What the app is, for people.")
    install_command_line: str = Field(min_length=1, description="Runs in the folder of the unpacked content.")
    uninstall_command_line: str = Field(min_length=1, description="Runs in the same folder.")
    detection_rules: Annotated[tuple[Rule, ...], Field(min_length=1)] = Field(
        description="All must hold for the app to count as installed."
    )
    requirement_rules: tuple[Rule, ...] = Field(default=(), description="All must hold before anything is downloaded.")
    applicable_architectures: tuple[Architecture, ...] = Field(
        default=(), description="Which processors it is for; empty means any."
    )
    operating_systems: tuple[OperatingSystem, ...] = Field(
        default=(), description="Which systems it is for; empty means any."
    )
    minimum_os_release: str | None = Field(
        default=None, description="The oldest release of the system, compared number by number."
    )
    minimum_free_disk_space_in_mb: int | None = Field(
        default=None, ge=0, alias="minimumFreeDiskSpaceInMB", description="Free disk space."
    )
    minimum_memory_in_mb: int | None = Field(
        default=None, ge=0, alias="minimumMemoryInMB", description="Physical memory."
    )
    minimum_number_of_processors: int | None = Field(default=None, ge=0, description="Logical processors.")
    minimum_cpu_speed_in_mhz: int | None = Field(
        default=None, ge=0, alias="minimumCpuSpeedInMHz", description="Processor speed."
    )
    install_experience: InstallExperienceEntry = Field(
        default=InstallExperienceEntry(), description="How the commands run."
    )
    restart_settings: RestartSettingsEntry = Field(
        default=RestartSettingsEntry(), description="How long a restart may be put off, and how it is announced."
    )
    notifications: NotificationWord = Field(
        default="showAll", description="What the person at the device is told: all, only restarts, nothing."
    )
    return_codes: tuple[ReturnCodeEntry, ...] = Field(
        default=(), description="Added to the default return codes; a code listed here wins over its default."
    )
    attempts: int = Field(default=3, ge=1, le=100, description="Attempts in all before the long wait (GRS).")
    retry_interval_in_minutes: float = Field(default=5, ge=0, description="Between two attempts; fractions are fine.")
    grs_in_hours: float = Field(default=24, ge=0, description="The long wait after the last attempt failed.")
    retry: tuple[RetryEntry, ...] = Field(
        default=(), description="Other waits for some classes of failure, in place of the three numbers before."
    )
    secrets: tuple[SecretEntry, ...] = Field(
        default=(), max_length=MAX_SECRETS, description="Licence keys and passwords that the commands are given."
    )
    dependencies: tuple[DependencyEntry, ...] = Field(
        default=(),
        max_length=_MAX_DEPENDENCIES,
        description="Apps that have to be there first; published before this one.",
    )
    supersedence: tuple[SupersedenceEntry, ...] = Field(
        default=(),
        max_length=_MAX_SUPERSEDED,
        description="Apps that this one takes the place of; published before this one.",
    )
    assignments: tuple[AssignmentEntry, ...] = Field(
        default=(), description="Groups that publishing assigns the app to, as `outrider assign` does."
    )

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        misfits = [
            *misfit_relations(self.name, "dependencies", self.dependencies),
            *misfit_relations(self.name, "supersedence", self.supersedence),
            *misfit_roles(self.dependencies, self.supersedence),
            *misfit_assignments("assignments", self.assignments),
            *misfit_retries("retry", self.retry),
            *misfit_secrets("secrets", self.secrets),
        ]
        if misfits:
            raise ValidationError.from_exception_data(type(self).__name__, misfits)
        return self

    def to_json(self) -> str:
        """The manifest as a revision keeps it: the same manifest always gives the same text.

        Assignments are not in it: they have rows of their own, and one more group makes no new revision.
        """
        return self.model_dump_json(by_alias=True, exclude={"assignments"})
