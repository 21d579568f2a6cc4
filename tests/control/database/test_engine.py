"""Connections to PostgreSQL: one that the server has ended meanwhile is never handed out."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from control.database.session import Database
from deploy.local.polling import wait_until

_SECONDS = 10


@pytest.fixture
def database(postgresql: str) -> Iterator[Database]:
    with closing(Database.at(postgresql)) as opened:
        yield opened


def backend(session: Session) -> int:
    return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


def is_there(database: Database, pid: int) -> bool:
    with database.snapshot() as session:
        alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
        return bool(session.execute(alive, {"pid": pid}).scalar_one())


@pytest.mark.integration
def test_a_connection_is_used_again(database: Database) -> None:
    with database.transaction() as session:
        first = backend(session)
    with database.snapshot() as session:
        assert backend(session) == first


@pytest.mark.integration
def test_a_connection_that_the_server_ended_is_replaced_before_anybody_gets_it(
    database: Database, postgresql: str
) -> None:
    with database.transaction() as session:
        ended = backend(session)
    with closing(Database.at(postgresql)) as other:
        with other.transaction() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": ended})
        assert wait_until(lambda: not is_there(other, ended), seconds=_SECONDS)
    with database.transaction() as session:
        assert backend(session) != ended
