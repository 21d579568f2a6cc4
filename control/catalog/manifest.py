"""The manifest: all that is said of an app besides its package, in the words of win32LobApp (package 4)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from contract.rules import Rule, RunAsAccount

Architecture = Literal["x64", "arm64", "x86", "arm"]
OperatingSystem = Literal["linux", "windows", "macos"]
RestartBehavior = Literal["basedOnReturnCode", "allow", "suppress", "force"]
ReturnCodeWord = Literal["success", "softReboot", "hardReboot", "retry", "failed"]

_ONE_DAY_IN_MINUTES = 1440


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class InstallExperienceEntry(_Part):
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


class ReturnCodeEntry(_Part):
    """What one exit code of the installer means."""

    return_code: int = Field(description="The exit code.")
    type: ReturnCodeWord = Field(description="What it means.")


class Manifest(_Part):
    """An app as a packager describes it in a YAML file."""

    name: str = Field(
        min_length=1, max_length=200, description="The app's name; a manifest with a known name makes a new revision."
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
    return_codes: tuple[ReturnCodeEntry, ...] = Field(
        default=(), description="Added to the default return codes; a code listed here wins over its default."
    )
    attempts: int = Field(default=3, ge=1, le=100, description="Attempts in all before the long wait (GRS).")
    retry_interval_in_minutes: float = Field(default=5, ge=0, description="Between two attempts; fractions are fine.")
    grs_in_hours: float = Field(default=24, ge=0, description="The long wait after the last attempt failed.")

    def to_json(self) -> str:
        """The manifest as the database keeps it: the same manifest always gives the same text."""
        return self.model_dump_json(by_alias=True)
