"""One line of the benchmark's table."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """What was measured, beside what it is measured against in the same run.

    Attributes:
        area: The part of the system.
        name: What was done, with what.
        ours: Seconds it took us.
        baseline: Seconds the baseline took.
        aim: The ratio of both that is to be reached at most; None where there is no aim.
        extra: Further figures, in words.
    """

    area: str
    name: str
    ours: float
    baseline: float
    aim: float | None = None
    extra: str = ""

    @property
    def ratio(self) -> float:
        """Ours as a part of the baseline's time."""
        return self.ours / self.baseline

    @property
    def is_met(self) -> bool:
        """Whether the aim is reached, or there is none."""
        return self.aim is None or self.ratio <= self.aim

    def fields(self) -> dict[str, Any]:
        """The row as JSON fields."""
        return asdict(self) | {"ratio": self.ratio, "is_met": self.is_met}
