"""Installer runs: written before the installer starts, so that none is ever started twice unknowingly."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from contract.jobs import JobRef
from worker.ledger.database import Database, Durability


@dataclass(frozen=True)
class InstallerRun:
    """An installer that was started, as far as the ledger knows.

    Attributes:
        pid: Its process; None where the agent ended between starting it and noting it.
        create_time: When the process began, seconds since 1970: a pid alone may name another process by now.
        exit_code: As it was seen; None while it runs, or where nobody was there to see it.
    """

    ref: JobRef
    app_id: str
    started_at: datetime
    pid: int | None
    create_time: float | None
    exit_code: int | None


class Installs:
    """Which installer was started for which attempt, and which has not been seen to end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def starting(self, ref: JobRef, app_id: str, *, now: datetime) -> None:
        """Note that the installer is about to start."""
        self._database.execute(
            "INSERT INTO installs (job_id, generation, attempt, app_id, started_at) VALUES (?, ?, ?, ?, ?)",
            (ref.job_id, ref.generation, ref.attempt, app_id, now.isoformat()),
        )

    def started(self, ref: JobRef, *, pid: int, create_time: float) -> None:
        """Note the process it runs as; after a power cut there is none."""
        self._database.execute(
            "UPDATE installs SET pid = ?, create_time = ? WHERE (job_id, generation, attempt) = (?, ?, ?)",
            (pid, create_time, ref.job_id, ref.generation, ref.attempt),
            Durability.SOON,
        )

    def ended(self, ref: JobRef, *, exit_code: int | None, now: datetime) -> None:
        """Note that it has ended; the exit code is None where nobody was there to see it."""
        self._database.execute(
            "UPDATE installs SET ended_at = ?, exit_code = ? WHERE (job_id, generation, attempt) = (?, ?, ?)",
            (now.isoformat(), exit_code, ref.job_id, ref.generation, ref.attempt),
            Durability.SOON,
        )

    def unfinished(self, app_id: str) -> InstallerRun | None:
        """The installer of an app that was started and has not been seen to end, of whatever job or attempt."""
        row = self._database.row(
            "SELECT * FROM installs WHERE app_id = ? AND ended_at IS NULL ORDER BY started_at DESC", (app_id,)
        )
        return None if row is None else _run(row)

    def run(self, ref: JobRef) -> InstallerRun | None:
        """The attempt's own installer; None where it was not started."""
        row = self._database.row(
            "SELECT * FROM installs WHERE (job_id, generation, attempt) = (?, ?, ?)",
            (ref.job_id, ref.generation, ref.attempt),
        )
        return None if row is None else _run(row)


def _run(row: sqlite3.Row) -> InstallerRun:
    return InstallerRun(
        ref=JobRef(job_id=row["job_id"], generation=row["generation"], attempt=row["attempt"]),
        app_id=row["app_id"],
        started_at=datetime.fromisoformat(row["started_at"]),
        pid=row["pid"],
        create_time=row["create_time"],
        exit_code=row["exit_code"],
    )
