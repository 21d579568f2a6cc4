"""Admission: how many jobs are sent a second, whatever the number of dispatchers; a token bucket in the database.

A fleet that is planned for, or comes back, at once begins bit by bit, so that neither the API nor the content store
meets all of it in the same second.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from control.database.tables import AdmissionRow

#: The only row; the first migration makes it.
_ROW = 1


@dataclass(frozen=True)
class Admission:
    """The bucket's size.

    Attributes:
        per_second: Jobs that may be sent, on average.
        burst: Jobs that may be sent at once after a quiet time.
    """

    per_second: float
    burst: int


def refilled(tokens: float, elapsed_seconds: float, admission: Admission) -> float:
    """The tokens after a while; a clock that went back gives none and takes none."""
    return min(admission.burst, tokens + max(0.0, elapsed_seconds) * admission.per_second)


class Bucket:
    """The tokens of this moment; no other dispatcher takes any until the transaction ends."""

    def __init__(self, session: Session, admission: Admission, now: datetime) -> None:
        row = session.get_one(AdmissionRow, _ROW, with_for_update=True)
        row.tokens = refilled(row.tokens, (now - row.counted_at).total_seconds(), admission)
        row.counted_at = now
        self._row = row

    @property
    def free(self) -> int:
        """How many jobs may be sent now."""
        return int(self._row.tokens)

    def take(self, jobs: int) -> None:
        """Count these as sent; a negative number gives back what was not sent after all."""
        self._row.tokens -= jobs
