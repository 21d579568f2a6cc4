"""Inserts that can say what happens where their row is there already.

Looking first and inserting then fails for one of two who do it at the same time.
"""

from typing import TYPE_CHECKING, TypeAlias, cast

from sqlalchemy.dialects import postgresql, sqlite

from control.database.tables.base import Base

if TYPE_CHECKING:
    from sqlalchemy import Table

ConflictInsert: TypeAlias = postgresql.Insert | sqlite.Insert


def insert_into(kind: type[Base], dialect: str) -> ConflictInsert:
    """An insert of rows of this kind; the caller adds `on_conflict_do_update` or `on_conflict_do_nothing`.

    Args:
        kind: Whose rows.
        dialect: The name of the database's dialect, as `session.get_bind().dialect.name` has it.
    """
    table = cast("Table", kind.__table__)
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
