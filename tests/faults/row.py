"""One line of the table of faults."""

from dataclasses import asdict, dataclass
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
        within_seconds: Work has to go on within this time; None where any time will do.
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
    within_seconds: float | None = None
    may_fail: bool = False
    seconds: float = 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """All that must not be."""
        late = self.within_seconds is not None and (self.resumed_seconds or 0) > self.within_seconds
        words = (
            (f"work went on after {self.resumed_seconds:.1f} s, {self.within_seconds:g} s are allowed",) if late else ()
        )
        return self.lost + self.twice + self.unreasoned + words

    @property
    def is_good(self) -> bool:
        """Whether the row is as it has to be; the control group must have lost or repeated something."""
        return bool(self.lost or self.twice) if self.may_fail else not self.problems

    def fields(self) -> dict[str, Any]:
        """The row as JSON fields."""
        return asdict(self) | {"is_good": self.is_good}
