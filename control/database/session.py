"""Transactions: the only way to the database.

Locks are taken in one order, so that two transactions never wait for each other: planning first, then rows of devices,
then those of jobs, each in the order of their ids; the audit log's last.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from sqlite3 import SQLITE_ERROR
from typing import Any, Final

from psycopg.errors import UndefinedTable
from sqlalchemy import Engine, Executable, Row, text
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError, UnavailableError
from control.database.engine import BEGIN_OPTION, BEGIN_READING, make_engine

#: Any number, as long as it is nobody else's: PostgreSQL's advisory locks are global to a database.
_PLANNING_LOCK: Final = 7_240_318
_AUDIT_LOCK: Final = 7_240_319
_POLICY_LOCK: Final = 7_240_320
_TALLY_LOCK: Final = 7_240_321
_TAKE_LOCK: Final = text("SELECT pg_advisory_xact_lock(:lock)")


class Database:
    """The database of the control plane.

    Attributes:
        engine: For migrations; everything else uses transactions.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reading = engine.execution_options(**{BEGIN_OPTION: BEGIN_READING})

    @classmethod
    def at(cls, url: str) -> "Database":
        """The database at this address; nothing is opened yet.

        Raises:
            InputError: The address is neither SQLite's nor PostgreSQL's.
        """
        return cls(make_engine(url))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A transaction that commits at its end, or leaves nothing behind when an error ends it.

        Raises:
            UnavailableError: The database does not answer.
            InputError: A value has a form that the database cannot store.
        """
        with _translated(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A transaction for reading only; on SQLite it waits for no writer.

        Raises:
            UnavailableError: The database does not answer.
        """
        with _translated(), Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    def rows(self, statement: Executable, parameters: Mapping[str, Any]) -> Sequence[Row[*tuple[Any, ...]]]:
        """What a single statement reads of columns, without a session, which would take as long as a small query.

        Raises:
            UnavailableError: The database does not answer.
        """
        with _translated(), self._reading.connect() as connection:
            return connection.execute(statement, parameters).all()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def lock_planning(session: Session) -> None:
    """Hold off every other planner until this transaction ends.

    What an operator's change looks at must not have changed when it is made: it takes this lock before it looks.
    SQLite's writing transactions exclude each other anyway.
    """
    _lock(session, _PLANNING_LOCK)


def lock_policies(session: Session) -> None:
    """Hold off everybody else who would sign a policy until this transaction ends."""
    _lock(session, _POLICY_LOCK)


def lock_tallies(session: Session) -> None:
    """Hold off everybody else who would count jobs until this transaction ends."""
    _lock(session, _TALLY_LOCK)


def lock_audit(session: Session) -> None:
    """Hold off everybody else who would add to the audit log until this transaction ends."""
    _lock(session, _AUDIT_LOCK)


def _lock(session: Session, lock: int) -> None:
    """Take a lock that this transaction may hold already."""
    held = session.info.get(lock)
    if session.get_bind().dialect.name == "postgresql" and (held is None or held is not session.get_transaction()):
        session.execute(_TAKE_LOCK, {"lock": lock})
        session.info[lock] = session.get_transaction()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, ProgrammingError) as error:
        if _lacks_tables(error):
            detail = "it lacks tables; run `outrider-control init`"
            raise UnavailableError(ErrorCode.DATABASE_UNAVAILABLE, detail=detail) from error
        if isinstance(error, ProgrammingError) or getattr(error.orig, "sqlite_errorcode", None) == SQLITE_ERROR:
            raise
        raise UnavailableError(ErrorCode.DATABASE_UNAVAILABLE, detail=str(error.orig).strip()) from error
    except PoolTimeoutError as error:
        raise UnavailableError(ErrorCode.DATABASE_UNAVAILABLE, detail="all connections are busy") from error
    except DataError as error:
        raise InputError(ErrorCode.DOCUMENT_INVALID, detail=str(error.orig).strip()) from error


def _lacks_tables(error: DBAPIError) -> bool:
    return isinstance(error.orig, UndefinedTable) or str(error.orig).startswith("no such table")
