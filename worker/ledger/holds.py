"""Which apps failed and are not to be executed before when."""

import sqlite3
from datetime import datetime

from contract.jobs import JobRef
from contract.report import ErrorReport, WaitReason
from worker.ledger.database import Database, Durability
from worker.rules.grs import Hold


class Holds:
    """At most one wait for each app; for a job whose app is unknown yet, one under the job's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, subject: str) -> Hold | None:
        """What is remembered of an app or job; None for nothing."""
        row = self._database.row("SELECT * FROM holds WHERE subject = ?", (subject,))
        return None if row is None else _hold(row)

    def standing(self, subject: str, *, now: datetime) -> Hold | None:
        """The same; a wait that by the clock has not begun yet begins now, and that is remembered."""
        hold = self.get(subject)
        if hold is None or hold.since <= now:
            return hold
        begun = hold.as_of(now)
        self.put(subject, begun)
        return begun

    def put_right(self, *, now: datetime) -> None:
        """Let all waits begin now that have not begun yet by a clock that was set back."""
        for subject in self._subjects():
            self.standing(subject, now=now)

    def put(self, subject: str, hold: Hold) -> None:
        """Remember; what was remembered before is replaced."""
        error = None if hold.error is None else hold.error.model_dump_json()
        ref, times = hold.ref, (hold.since.isoformat(), hold.until.isoformat())
        self._database.execute(
            "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (subject, hold.key, ref.job_id, ref.generation, ref.attempt, hold.failures, *times, hold.reason, error),
            Durability.SOON,
        )

    def remove(self, subject: str) -> None:
        """Forget: the app is as desired, or is to be tried at once."""
        self._database.execute("DELETE FROM holds WHERE subject = ?", (subject,), Durability.SOON)

    def prune(self, before: datetime) -> None:
        """Forget the waits that ended before then: how often the app failed in a row is not of interest any more."""
        for subject in self._subjects():
            hold = self.get(subject)
            if hold is not None and hold.until < before:
                self.remove(subject)

    def _subjects(self) -> list[str]:
        return [row["subject"] for row in self._database.rows("SELECT subject FROM holds")]


def _hold(row: sqlite3.Row) -> Hold:
    error = row["error"]
    return Hold(
        key=row["key"],
        ref=JobRef(job_id=row["job_id"], generation=row["generation"], attempt=row["attempt"]),
        failures=row["failures"],
        since=datetime.fromisoformat(row["since"]),
        until=datetime.fromisoformat(row["until"]),
        reason=WaitReason(row["reason"]),
        error=None if error is None else ErrorReport.model_validate_json(error),
    )
