"""One line of the table of faults."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """What a fault did.

    Attributes:
        fault: What was done to which part.
        injected: How often.
        jobs: How many jobs were under way meanwhile.
        lost: Jobs that did not end as they should, in sentences.
        twice: What was installed twice, in sentences.
        resumed_seconds: The longest time from the end of a fault until work went on; None where nothing had to go on.
        unreasoned: Jobs that were seen waiting for nothing that anybody named, in sentences.
        extra: Further figures, in words.
        may_fail: The control group: what lacks the system's means is expected to lose or to repeat.
    """

    fault: str
    injected: int
    jobs: int
    lost: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    resumed_seconds: float | None = None
    unreasoned: tuple[str, ...] = ()
    extra: str = ""
    may_fail: bool = False
    seconds: float = field(default=0.0)

    @property
    def problems(self) -> tuple[str, ...]:
        """All that must not be."""
        return self.lost + self.twice + self.unreasoned

    @property
    def is_good(self) -> bool:
        """Whether the row is as it has to be; the control group must have lost or repeated something."""
        return bool(self.lost or self.twice) if self.may_fail else not self.problems

    def fields(self) -> dict[str, Any]:
        """The row as JSON fields."""
        return asdict(self) | {"is_good": self.is_good}
