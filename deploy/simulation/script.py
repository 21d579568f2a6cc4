"""What a simulated fleet does: a few shares and spans, and from them each device's part, the same for the same seed."""

from random import Random
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contract.uplink import DeviceFacts

Share = float

_AGENT_VERSION: Final = "simulated"
_TIME_ZONES: Final = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo")
_GIB_IN_MB: Final = 1024


class FleetScript(BaseModel):
    """A fleet as its operator describes it.

    Attributes:
        devices: How many.
        seed: The same seed makes the same fleet.
        name: Devices are called `<name>-00001` and so on.
        arrival_seconds: The devices appear evenly over this time.
        failing: The share of devices on which every installer fails.
        flaky: The share on which the first attempt fails and the next one succeeds.
        only_revision: Installers fail for this revision only; None for each.
        exit_code: What a failing installer ends with.
        away: The share of devices that are switched off at the beginning.
        away_seconds: For how long.
        install_seconds: What an installer takes, at least and at most.
        windows: The share of devices that run Windows instead of Linux.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    devices: int = Field(ge=1, le=1_000_000)
    seed: int = 0
    name: str = Field(default="sim", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    arrival_seconds: float = Field(default=0, ge=0)
    failing: Share = Field(default=0, ge=0, le=1)
    flaky: Share = Field(default=0, ge=0, le=1)
    only_revision: int | None = Field(default=None, ge=1)
    exit_code: int = Field(default=1603, ge=1)
    away: Share = Field(default=0, ge=0, le=1)
    away_seconds: float = Field(default=0, ge=0)
    install_seconds: tuple[float, float] = (0, 0)
    windows: Share = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _spans_are_spans(self) -> Self:
        least, most = self.install_seconds
        if not 0 <= least <= most:
            raise ValueError("install_seconds: expected the least first, then the most, none below 0")
        return self

    def name_of(self, number: int) -> str:
        """What a device is called, counted from 1."""
        return f"{self.name}-{number:05}"

    def device(self, number: int) -> "DeviceScript":
        """The part of one device, counted from 1."""
        # Drawn in one fixed order: a share that changes leaves all other draws as they were.
        draw = Random(f"{self.seed}/{number}")  # noqa: S311  it plays dice, it keeps no secret
        fails, is_flaky, is_away, runs_windows = (draw.random() for _ in range(4))
        least, most = self.install_seconds
        return DeviceScript(
            name=self.name_of(number),
            starts_after_seconds=self.arrival_seconds * (number - 1) / self.devices
            + (self.away_seconds if is_away < self.away else 0),
            fails=fails < self.failing,
            is_flaky=is_flaky < self.flaky,
            only_revision=self.only_revision,
            exit_code=self.exit_code,
            install_seconds=draw.uniform(least, most),
            os_name="windows" if runs_windows < self.windows else "linux",
            time_zone=draw.choice(_TIME_ZONES),
            memory_in_mb=draw.choice((4, 8, 16, 32)) * _GIB_IN_MB,
        )


class DeviceScript(BaseModel):
    """What one device does."""

    model_config = ConfigDict(frozen=True)

    name: str
    starts_after_seconds: float
    fails: bool
    is_flaky: bool
    only_revision: int | None
    exit_code: int
    install_seconds: float
    os_name: str
    time_zone: str
    memory_in_mb: int

    def exit_code_of(self, revision: int, attempt: int) -> int:
        """What the installer of a revision ends with in an attempt; 0 where it succeeds."""
        is_hit = self.only_revision is None or revision == self.only_revision
        return self.exit_code if is_hit and (self.fails or (self.is_flaky and attempt == 1)) else 0

    def facts(self) -> DeviceFacts:
        """What the device says of itself."""
        return DeviceFacts(
            hostname=self.name,
            os_name=self.os_name,
            os_version="10.0.26100" if self.os_name == "windows" else "6.12",
            architecture="x64",
            agent_version=_AGENT_VERSION,
            processors=4,
            memory_in_mb=self.memory_in_mb,
            free_disk_space_in_mb=100 * _GIB_IN_MB,
            time_zone=self.time_zone,
        )
