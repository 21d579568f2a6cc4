"""Restarts that apps wait for, and what was said of them."""

from datetime import datetime

from worker.ledger.database import Database
from worker.restart.rules import Announcement, PendingRestart


class RestartTable:
    """One pending restart for each app, and one announcement for all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, restart: PendingRestart) -> None:
        """Remember a restart in place of an earlier one for the same app."""
        self._database.execute(
            "INSERT INTO restarts (app_id, pending) VALUES (?, ?) "
            "ON CONFLICT (app_id) DO UPDATE SET pending = excluded.pending",
            (restart.app_id, restart.model_dump_json()),
        )

    def all(self) -> list[PendingRestart]:
        """All that is remembered, of whatever start of the machine."""
        rows = self._database.rows("SELECT pending FROM restarts ORDER BY app_id")
        return [PendingRestart.model_validate_json(row["pending"]) for row in rows]

    def put_right(self, *, now: datetime) -> None:
        """Let all waits begin now that have not begun yet by a clock that was set back."""
        for restart in self.all():
            if restart.noted_at > now:
                self.put(restart.as_of(now))
        said = self.announcement()
        if said != said.as_of(now):
            self.set_announcement(said.as_of(now))

    def clear(self) -> None:
        """Forget all, and what was said: the machine has restarted."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM restarts")
            connection.execute("DELETE FROM restart_announcement")

    def announcement(self) -> Announcement:
        """What was said; nothing at first."""
        row = self._database.row("SELECT said FROM restart_announcement")
        return Announcement() if row is None else Announcement.model_validate_json(row["said"])

    def set_announcement(self, announcement: Announcement) -> None:
        """Remember what was said."""
        self._database.execute(
            "INSERT INTO restart_announcement (id, said) VALUES (1, ?) "
            "ON CONFLICT (id) DO UPDATE SET said = excluded.said",
            (announcement.model_dump_json(),),
        )
