"""A database with a fleet in it, of the kind that a test is for."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from control.database.migrate import upgrade
from control.database.session import Database
from tests.bench import big_fleet
from tests.support.database import new_database


@contextmanager
def filled_database(request: pytest.FixtureRequest, folder: Path, size: big_fleet.Size) -> Iterator[Database]:
    """The database, until the end of the block; the fixture's parameter is `sqlite` or `postgresql`."""
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'control.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(new_database(request.getfixturevalue("postgresql_server")))
        database = stack.enter_context(closing(Database.at(url)))
        upgrade(database)
        big_fleet.fill(database, size)
        yield database


@contextmanager
def undone(database: Database) -> Iterator[Session]:
    """A transaction that leaves nothing behind."""
    with database.transaction() as session:
        yield session
        session.rollback()
