"""Apps: the newest revision seen, and the last result."""

from datetime import datetime

from worker.app_state import AppState
from worker.ledger.database import Database, Durability
from worker.state_mirror import StateMirror


class Apps:
    """What the device knows of each app.

    Args:
        mirror: Shown every state once the ledger has it.
    """

    def __init__(self, database: Database, mirror: StateMirror) -> None:
        self._database = database
        self._mirror = mirror

    def highest_revision(self, app_id: str) -> int:
        """The newest revision a valid policy has named for the app; 0 for none."""
        row = self._database.row("SELECT highest_revision FROM apps WHERE app_id = ?", (app_id,))
        return 0 if row is None else row["highest_revision"]

    def set_state(self, state: AppState) -> None:
        """Remember an app's last result."""
        self._database.execute(_SET_STATE, (state.app_id, state.revision, state.model_dump_json()), Durability.SOON)
        self._mirror.put(state)

    def show_all(self) -> None:
        """Show the mirror every state anew: an agent that was killed may have left it behind."""
        for state in self.states():
            self._mirror.put(state)

    def put_right(self, *, now: datetime) -> None:
        """Let all waits that are shown begin now that have not begun yet by a clock that was set back."""
        for state in self.states():
            begun = state.as_of(now)
            if begun != state:
                self.set_state(begun)

    def state(self, app_id: str) -> AppState | None:
        """The last result of an app; None where there is none."""
        row = self._database.row("SELECT state FROM apps WHERE app_id = ? AND state IS NOT NULL", (app_id,))
        return None if row is None else AppState.model_validate_json(row["state"])

    def states(self) -> list[AppState]:
        """The last results of all apps, by name."""
        rows = self._database.rows("SELECT state FROM apps WHERE state IS NOT NULL")
        states = (AppState.model_validate_json(row["state"]) for row in rows)
        return sorted(states, key=lambda state: (state.app_name.casefold(), state.app_id))


_SET_STATE = """
INSERT INTO apps (app_id, highest_revision, state) VALUES (?, ?, ?)
ON CONFLICT (app_id) DO UPDATE SET state = excluded.state
"""
