"""Transactions: all or nothing, one writer after the other, and clear words when the database is not there."""

import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import bindparam, event, select, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.pool import QueuePool

from contract.errors import InputError, UnavailableError
from contract.exit_statuses import ExitStatus
from control.database.engine import make_engine
from control.database.migrate import upgrade
from control.database.session import Database, lock_planning, lock_tallies
from control.database.tables import Group
from tests.control.plane import Plane

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def group(name: str, at: datetime = NOON) -> Group:
    return Group(id=name.rjust(36, "0"), name=name, created_at=at)


def store(database: Database, row: Group) -> None:
    with database.transaction() as session:
        session.add(row)


def test_an_error_leaves_nothing_behind(either_plane: Plane) -> None:
    database = either_plane.services.database

    def fail_after_writing() -> None:
        with database.transaction() as session:
            session.add(group("a"))
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    with database.snapshot() as session:
        assert session.scalars(select(Group)).all() == []


def test_a_single_statement_reads_what_is_committed_and_holds_no_connection(either_plane: Plane) -> None:
    database, named = either_plane.services.database, select(Group.name).where(Group.name == bindparam("name"))
    with database.transaction() as session:
        session.add(group("a"))
        session.flush()
        assert database.rows(named, {"name": "a"}) == []
    assert [row.name for row in database.rows(named, {"name": "a"})] == ["a"]
    assert database.rows(named, {"name": "b"}) == []
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    assert pool.checkedout() == 0


def test_a_time_comes_back_as_the_same_moment_in_utc(either_plane: Plane) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    database = either_plane.services.database
    with database.transaction() as session:
        session.add(group("a", elsewhere))
    with database.snapshot() as session:
        stored = session.scalars(select(Group)).one().created_at
    assert stored == NOON
    assert stored.tzinfo is UTC


def test_a_time_without_its_zone_is_refused(plane: Plane) -> None:
    with pytest.raises(StatementError, match="without its zone"):
        store(plane.services.database, group("a", NOON.replace(tzinfo=None)))


def test_writers_on_sqlite_wait_for_each_other(plane: Plane) -> None:
    database = plane.services.database
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction() as session:
            session.add(group("first"))
            session.flush()
            inside.set()
            go_on.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    with database.snapshot() as session:
        assert session.scalars(select(Group)).all() == [], "readers neither wait nor see what is not committed"
    threading.Timer(0.1, go_on.set).start()
    with database.transaction() as session:
        assert [found.name for found in session.scalars(select(Group))] == ["first"]
    holder.join()


def test_a_database_that_cannot_be_opened_is_named_unavailable(tmp_path: Path) -> None:
    database = Database.at(f"sqlite:///{tmp_path}/missing/control.db")
    with pytest.raises(UnavailableError, match="database does not answer") as caught, database.snapshot() as session:
        session.execute(text("SELECT 1"))
    assert caught.value.exit_status is ExitStatus.UNAVAILABLE
    with pytest.raises(UnavailableError, match="database does not answer"):
        database.rows(text("SELECT 1"), {})


def test_a_database_without_tables_says_what_to_run(either_plane: Plane) -> None:
    database = either_plane.services.database
    with pytest.raises(UnavailableError, match="outrider-control init"), database.transaction() as session:
        session.execute(text("SELECT * FROM nowhere"))


def test_a_mistake_in_a_statement_is_not_called_unavailable(either_plane: Plane) -> None:
    with pytest.raises(DBAPIError), either_plane.services.database.snapshot() as session:
        session.execute(text("SELECT nothing_like_that FROM apps"))


def test_a_server_that_is_not_there_is_named_unavailable() -> None:
    database = Database.at("postgresql://user:secret@127.0.0.1:1/name")
    with pytest.raises(UnavailableError) as caught, database.snapshot() as session:
        session.execute(text("SELECT 1"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://host/name", "no address at all"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="DATABASE_URL"):
        make_engine(url)


@pytest.mark.integration
def test_text_that_postgresql_cannot_hold_is_the_senders_mistake(postgresql: str) -> None:
    database = Database.at(postgresql)
    upgrade(database)
    with pytest.raises(InputError):
        store(database, group("a\0b"))
    database.close()


@pytest.mark.integration
def test_a_lock_is_taken_once_in_a_transaction_and_again_in_the_next(postgresql_plane: Plane) -> None:
    database, taken = postgresql_plane.services.database, []
    event.listen(database.engine, "before_cursor_execute", lambda _connection, _cursor, text, *_: taken.append(text))
    for _ in range(2):
        with database.transaction() as session:
            lock_planning(session)
            lock_planning(session)
            lock_tallies(session)
    assert len([text for text in taken if "pg_advisory_xact_lock" in text]) == 4
