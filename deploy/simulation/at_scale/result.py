"""What a run came to: for people as a table, for programs as JSON."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, computed_field
from rich.console import Group, RenderableType
from rich.table import Table

_MILLISECONDS = 1000.0
_MEGABYTE = 1e6


class PartCost(BaseModel):
    """What one part took.

    Attributes:
        enrolment_cpu_seconds: From the first enrolment to the last check-in.
        rollout_cpu_seconds: From the rollout's start to its end.
        peak_mib: The most memory its processes held together.
        processes: How many it has.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    enrolment_cpu_seconds: float
    rollout_cpu_seconds: float
    peak_mib: float
    processes: int


class RunResult(BaseModel):
    """A run.

    Attributes:
        devices: Each was to get one job.
        enrolment_seconds: By the clock on the wall.
        rollout_seconds: The same.
        rollout_state: The state the rollout ended in.
        reported: Jobs whose result the control plane has.
        outcomes: What came of them, as the control plane knows it.
        told_by_devices: The same, as the devices know it.
        installed_twice: Devices on which an installer succeeded for what was there already.
        stumbles: Turns of devices that ended with an error and were tried anew.
        requests: Those that were granted, by what they asked for.
        refused: Requests that were answered with 400 or more, by status.
        load: The machine's load, one-minute average, at the beginning and at the end.
        problem: Why the run did not come to its end; empty where it did.
    """

    model_config = ConfigDict(frozen=True)

    devices: int
    processes: int
    apis: int
    shards: int
    database: str
    enrolment_seconds: float
    rollout_seconds: float
    rollout_state: str
    reported: int
    outcomes: dict[str, int]
    told_by_devices: dict[str, int]
    installed_twice: int
    stumbles: int
    requests: dict[str, int]
    refused: dict[int, int]
    bytes_sent: int
    bytes_received: int
    parts: tuple[PartCost, ...]
    load: tuple[float, float]
    cores: int
    problem: str = ""

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def lost(self) -> int:
        """Jobs that were wanted and not reported."""
        return self.devices - self.reported

    @property
    def is_good(self) -> bool:
        """Whether each job was done once and is known."""
        return not (self.problem or self.lost or self.installed_twice)


def tables(result: RunResult) -> RenderableType:
    """For people."""
    return Group(_costs(result), "", _requests(result), "", *_verdict(result))


def _costs(result: RunResult) -> Table:
    table = Table(title=f"{result.devices} devices, {result.database}", title_justify="left")
    for heading in ("part", "processes", "CPU s, enrolment", "CPU s, rollout", "ms a device", "peak MiB"):
        table.add_column(heading, justify="left" if heading == "part" else "right", no_wrap=True)
    for part in result.parts:
        table.add_row(*_cells(part.name, str(part.processes), [part], result.devices))
    table.add_section()
    table.add_row(*_cells("all", "", result.parts, result.devices))
    table.caption = (
        f"wall: enrolment {result.enrolment_seconds:.0f} s, rollout {result.rollout_seconds:.0f} s = "
        f"{result.reported / max(result.rollout_seconds, 1e-9):.1f} jobs a second; "
        f"{result.cores} cores, load {result.load[0]:.1f} to {result.load[1]:.1f}"
    )
    return table


def _cells(name: str, processes: str, parts: Iterable[PartCost], devices: int) -> list[str]:
    costs = list(parts)
    enrolment = sum(part.enrolment_cpu_seconds for part in costs)
    rollout = sum(part.rollout_cpu_seconds for part in costs)
    each = (enrolment + rollout) / devices * _MILLISECONDS
    peak = sum(part.peak_mib for part in costs)
    return [name, processes, f"{enrolment:.1f}", f"{rollout:.1f}", f"{each:.2f}", f"{peak:.0f}"]


def _requests(result: RunResult) -> Table:
    table = Table("request", title="Requests", title_justify="left")
    table.add_column("granted", justify="right")
    for kind, number in sorted(result.requests.items(), key=lambda item: -item[1]):
        table.add_row(kind, str(number))
    refused = ", ".join(f"{number} with {status}" for status, number in sorted(result.refused.items())) or "none"
    sent, received = result.bytes_sent / _MEGABYTE, result.bytes_received / _MEGABYTE
    table.caption = f"refused: {refused}; bodies: sent {sent:.1f} MB, received {received:.1f} MB"
    return table


def _verdict(result: RunResult) -> list[str]:
    counts = ", ".join(f"{number} {word}" for word, number in sorted(result.outcomes.items()))
    wanted = (
        f"The rollout is {result.rollout_state}: wanted {result.devices} jobs, reported {result.reported} ({counts}),"
    )
    verdict = [f"{wanted} lost {result.lost}, installed twice {result.installed_twice}."]
    if result.problem:
        verdict.append(f"[red]{result.problem}[/]")
    return verdict
