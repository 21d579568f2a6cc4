"""Write many rows at once: SQLite's `executemany`, PostgreSQL's COPY, and indexes only when the rows are there."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Column, Connection, Dialect, Table

from control.database.session import Database
from control.database.tables import Base

#: Writes rows into a table. All have the same columns; a column that they do not name has its default.
Load: TypeAlias = Callable[[type[Base], Iterable[dict[str, Any]]], None]

_Row: TypeAlias = tuple[Any, ...]

#: Ids are scattered: each page of an index is written once for all only while all of them are in memory.
_SQLITE_CACHE: Final = "PRAGMA cache_size = -1000000"
_SQLITE_USUAL_CACHE: Final = "PRAGMA cache_size = -2000"
#: Rows are as they should be; to look each device and app up once more takes longer than writing them.
_NO_TRIGGERS: Final = "SET LOCAL session_replication_role = replica"


@contextmanager
def bulk_load(database: Database) -> Iterator[Load]:
    """One transaction that rows are loaded in; on PostgreSQL it takes a superuser."""
    with database.engine.begin() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        connection.exec_driver_sql(_SQLITE_CACHE if is_sqlite else _NO_TRIGGERS)
        write = _insert if is_sqlite else _copy

        def load(kind: type[Base], rows: Iterable[dict[str, Any]]) -> None:
            table = cast("Table", kind.__table__)
            indexes = sorted(table.indexes, key=lambda index: str(index.name))
            for index in indexes:
                index.drop(connection)
            write(connection, table, rows)
            for index in indexes:
                index.create(connection)

        yield load
        if is_sqlite:
            connection.exec_driver_sql(_SQLITE_USUAL_CACHE)


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    names, values = _prepared(table, connection.dialect, rows)
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"
    cursor: Any = connection.connection.cursor()
    cursor.executemany(statement, values)


def _copy(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    names, values = _prepared(table, connection.dialect, rows)
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({', '.join(names)}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def _prepared(table: Table, dialect: Dialect, rows: Iterable[dict[str, Any]]) -> tuple[list[str], Iterator[_Row]]:
    """The columns that are written, and the rows as the driver takes them."""
    rest = iter(rows)
    first = next(rest)
    fields = [_Field(column, dialect, is_named=column.key in first) for column in table.columns]
    written = [field for field in fields if field.is_written]
    return [field.name for field in written], _values(first, rest, written)


def _values(first: dict[str, Any], rest: Iterator[dict[str, Any]], fields: list["_Field"]) -> Iterator[_Row]:
    readers = [field.read for field in fields]
    yield tuple(read(first) for read in readers)
    for row in rest:
        yield tuple(read(row) for read in readers)


class _Field:
    """How a column's value comes out of a row: converted by the column's type."""

    def __init__(self, column: Column[Any], dialect: Dialect, *, is_named: bool) -> None:
        self.name = column.name
        self.is_written = is_named or column.default is not None
        self.read = _named(column, dialect) if is_named else _default(column, dialect)


def _converter(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any]:
    return column.type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)


def _named(column: Column[Any], dialect: Dialect) -> Callable[[dict[str, Any]], Any]:
    convert, key = _converter(column, dialect), column.key
    return lambda row: convert(row[key])


def _default(column: Column[Any], dialect: Dialect) -> Callable[[dict[str, Any]], Any]:
    default: Any = column.default
    if default is None:
        return lambda _row: None
    value = default.arg(None) if default.is_callable else default.arg
    value = _converter(column, dialect)(value)
    return lambda _row: value
