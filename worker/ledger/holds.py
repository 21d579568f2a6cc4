"""Which apps failed and are not to be executed before when."""

from datetime import datetime

from contract.jobs import JobRef
from contract.report import ErrorReport, WaitReason
from worker.ledger.database import Database
from worker.rules.grs import Hold


class Holds:
    """At most one wait for each app; for a job whose app is unknown yet, one under the job's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, subject: str) -> Hold | None:
        """What is remembered of an app or job; None for nothing."""
        row = self._database.row("SELECT * FROM holds WHERE subject = ?", (subject,))
        if row is None:
            return None
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

    def put(self, subject: str, hold: Hold) -> None:
        """Remember; what was remembered before is replaced."""
        error = None if hold.error is None else hold.error.model_dump_json()
        ref, times = hold.ref, (hold.since.isoformat(), hold.until.isoformat())
        self._database.execute(
            "INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (subject, hold.key, ref.job_id, ref.generation, ref.attempt, hold.failures, *times, hold.reason, error),
        )

    def remove(self, subject: str) -> None:
        """Forget: the app is as desired, or is to be tried at once."""
        self._database.execute("DELETE FROM holds WHERE subject = ?", (subject,))
