"""The ledger's file: no commit is lost by a kill, none of those that matter by a power cut; shared by two threads."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from contract.error_codes import ErrorCode
from contract.errors import DocumentError, UnavailableError
from worker.ledger.schema import MIGRATIONS

#: How long a statement waits for another process, such as `outrider-agent status`, to let go of the file.
BUSY_TIMEOUT_SECONDS = 30.0

Parameters = tuple[Any, ...]


class Durability(Enum):
    """From when on a commit survives a power cut; a killed process loses none of either kind.

    The value is SQLite's `synchronous`.
    """

    #: At once: what is done next could not be undone, or is sent away.
    NOW = "FULL"
    #: With the next commit that is durable at once, for the disk keeps their order: until then nothing is done that
    #: could not be done again. It costs a twentieth.
    SOON = "NORMAL"


class Database:
    """One SQLite connection behind a lock.

    Raises:
        DocumentError: The file was written by a newer agent, or is damaged.
        UnavailableError: LEDGER_UNAVAILABLE: it cannot be written now.
    """

    def __init__(self, path: Path, *, busy_timeout_seconds: float = BUSY_TIMEOUT_SECONDS) -> None:
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                path, timeout=busy_timeout_seconds, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode only FULL makes every single commit survive a power cut.
            self._set_durability(Durability.NOW)
            self._migrate(path)
        except sqlite3.OperationalError as error:
            raise UnavailableError(ErrorCode.LEDGER_UNAVAILABLE, detail=str(error), place=str(path)) from error
        except sqlite3.DatabaseError as error:
            raise DocumentError(ErrorCode.LEDGER_CORRUPT, detail=str(error), place=str(path)) from error

    @contextmanager
    def transaction(self, durability: Durability = Durability.NOW) -> Iterator[sqlite3.Connection]:
        """All of the block's statements, or none."""
        with self._lock:
            if durability is not self._durability:
                self._set_durability(durability)
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already, or failed its commit and left it open.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, sql: str, parameters: Parameters = (), durability: Durability = Durability.NOW) -> None:
        """One statement in a transaction of its own."""
        with self.transaction(durability) as connection:
            connection.execute(sql, parameters)

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query; None where there is none."""
        with self._lock:
            row: sqlite3.Row | None = self._connection.execute(sql, parameters).fetchone()
            return row

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _set_durability(self, durability: Durability) -> None:
        self._connection.execute(f"PRAGMA synchronous = {durability.value}")
        self._durability = durability

    def _migrate(self, path: Path) -> None:
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(MIGRATIONS):
                detail = f"ledger version {version}, this agent knows up to {len(MIGRATIONS)}"
                raise DocumentError(ErrorCode.DOCUMENT_TOO_NEW, detail=detail, place=str(path))
            for step in MIGRATIONS[version:]:
                for statement in step.split(";\n"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
