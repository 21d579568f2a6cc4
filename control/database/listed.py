"""Lists of words as a table in a statement: one parameter, however many rows; each database reads JSON by itself."""

from collections.abc import Sequence

from sqlalchemy import JSON, ColumnElement, column, func, literal
from sqlalchemy.orm import Session


def listed(session: Session, rows: Sequence[tuple[str, ...]]) -> tuple[ColumnElement[str], ...]:
    """The columns of a table that has these rows, at least one of them, to select from."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    each = func.json_each if is_sqlite else func.json_array_elements
    row = each(literal(rows, JSON)).table_valued(column("value", JSON)).c.value
    return tuple(row[place].as_string() for place in range(len(rows[0])))
