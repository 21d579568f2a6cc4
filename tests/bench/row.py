"""One line of the benchmark's tables."""

from dataclasses import KW_ONLY, asdict, dataclass
from enum import StrEnum
from typing import Any


class Unit(StrEnum):
    """What the figures of a row count; the baseline's are in the same."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "µs"
    CPU_SECONDS = "s CPU"
    CPU_MILLISECONDS = "ms CPU"
    CPU_MICROSECONDS = "µs CPU"
    BYTES = "bytes"
    KILOBYTES = "KB"
    MEGABYTES = "MB"
    PERCENT_OF_A_CORE = "% of a core"
    EACH_SECOND = "a second"
    COUNT = "count"


@dataclass(frozen=True)
class Row:
    """What was measured, beside what it is measured against in the same run.

    Attributes:
        area: The part of the system.
        name: What was done, with what.
        ours: What it took us, in the row's unit; less is better.
        baseline: What the baseline took; None where the aim is a figure of its own.
        aim: The ratio of both that is to be reached at most; None where there is no such aim.
        extra: Further figures, in words.
        unit: Of `ours`, `baseline` and `limit`.
        limit: What ours is to take at most, whatever the baseline took; None where there is no such aim.
    """

    area: str
    name: str
    ours: float
    baseline: float | None = None
    aim: float | None = None
    extra: str = ""
    _: KW_ONLY
    unit: Unit = Unit.SECONDS
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours as a part of the baseline's; None where there is nothing to divide by."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def is_met(self) -> bool:
        """Whether each aim is reached, or there is none; a ratio that cannot be told reaches none."""
        within_aim = self.aim is None or (self.ratio is not None and self.ratio <= self.aim)
        return within_aim and (self.limit is None or self.ours <= self.limit)

    @property
    def has_aim(self) -> bool:
        """Whether anything is to be reached."""
        return self.aim is not None or self.limit is not None

    def fields(self) -> dict[str, Any]:
        """The row as JSON fields."""
        return asdict(self) | {"ratio": self.ratio, "is_met": self.is_met}
