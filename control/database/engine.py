"""The engine: how to connect to SQLite and PostgreSQL so that both behave the same."""

import select
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from contract.error_codes import ErrorCode
from contract.errors import InputError

#: The execution option that says how a SQLite transaction begins.
BEGIN_OPTION = "outrider_begin"
BEGIN_WRITING = "BEGIN IMMEDIATE"
BEGIN_READING = "BEGIN"

_BUSY_TIMEOUT_SECONDS = 30
_CONNECT_TIMEOUT_SECONDS = 5
#: Connections beyond the pool's own five: as many as the API has threads.
_OVERFLOW = 35


class _SqliteConnection(Protocol):
    isolation_level: str | None

    def execute(self, statement: str, /) -> object: ...


class _PostgresqlConnection(Protocol):
    @property
    def closed(self) -> bool: ...
    def fileno(self) -> int: ...


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://...`.

    SQLite is run in WAL mode with foreign keys, synchronous=FULL and a busy timeout. A writing transaction takes the
    write lock when it begins, so two of them wait for each other instead of failing half-way.

    Raises:
        InputError: The address is not one of these.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
    detail = f"expected sqlite or postgresql, found {parsed.get_backend_name()}"
    raise InputError(ErrorCode.SETTINGS_INVALID, place="DATABASE_URL", detail=detail)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        detail = "expected sqlite:///path or postgresql://user@host/name"
        raise InputError(ErrorCode.SETTINGS_INVALID, place="DATABASE_URL", detail=detail) from error


def _postgresql(url: URL) -> Engine:
    options = {"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
    engine = create_engine(url.set(drivername="postgresql+psycopg"), max_overflow=_OVERFLOW, connect_args=options)
    event.listen(engine, "checkout", _require_open)
    return engine


def _require_open(connection: _PostgresqlConnection, _record: Any, _proxy: Any) -> None:
    """Have a connection that the server has ended while it lay in the pool replaced by a new one.

    From one that is idle there is nothing to read; the server's last word, or the end of the stream, says that it is
    over. To ask the server would take as long as a query, each time.
    """
    if connection.closed or _has_something_to_read(connection.fileno()):
        raise DisconnectionError


def _has_something_to_read(descriptor: int) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, max_overflow=_OVERFLOW, connect_args={"timeout": _BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: _SqliteConnection, _record: Any) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN_OPTION, BEGIN_WRITING))
