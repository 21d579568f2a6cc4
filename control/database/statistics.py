"""What a database knows of how its tables are filled, and chooses its plans by."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Entries of each index that are looked at: with few, SQLite takes an app of many thousand jobs for one of few.
_LIMIT: Final = "PRAGMA analysis_limit = 100000"


def refresh_statistics(session: Session) -> None:
    """Have SQLite look at its tables; PostgreSQL does so by itself."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text(_LIMIT))
        session.execute(text("ANALYZE"))
