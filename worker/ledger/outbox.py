"""Reports that the control plane does not have yet."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from contract.report import Report
from worker.ledger.database import Database, Durability


@dataclass(frozen=True)
class Undelivered:
    """A report in the outbox.

    Attributes:
        tries: How often its delivery has failed.
        due_at: When to try again.
    """

    report: Report
    tries: int
    due_at: datetime


class Outbox:
    """Reports from being written to being delivered; the control plane takes one that comes twice once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, report: Report, *, due_at: datetime, durability: Durability = Durability.NOW) -> None:
        """Keep a report for delivery; putting it again replaces it."""
        self._database.execute(_PUT, (*_key(report), report.to_json(), due_at.isoformat()), durability)

    def remove(self, report: Report) -> None:
        """Forget a report: it was delivered, or refused for good."""
        sql = "DELETE FROM outbox WHERE (job_id, generation, attempt, sequence) = (?, ?, ?, ?)"
        self._database.execute(sql, _key(report), Durability.SOON)

    def postpone(self, report: Report, *, due_at: datetime) -> None:
        """Note that a delivery failed, and when to try again."""
        self._database.execute(_POSTPONE, (due_at.isoformat(), *_key(report)))

    def waiting(self) -> list[Undelivered]:
        """All undelivered reports, the earliest due first."""
        return [_undelivered(row) for row in self._database.rows("SELECT * FROM outbox ORDER BY due_at")]


_PUT = """
INSERT OR REPLACE INTO outbox (job_id, generation, attempt, sequence, report, due_at) VALUES (?, ?, ?, ?, ?, ?)
"""

_POSTPONE = """
UPDATE outbox SET tries = tries + 1, due_at = ? WHERE (job_id, generation, attempt, sequence) = (?, ?, ?, ?)
"""


def _key(report: Report) -> tuple[str, int, int, int]:
    return report.job_id, report.generation, report.attempt, report.sequence


def _undelivered(row: sqlite3.Row) -> Undelivered:
    report = Report.from_json(row["report"])
    return Undelivered(report, row["tries"], datetime.fromisoformat(row["due_at"]))
