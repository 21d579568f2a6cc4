"""Counters that several processes count up."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from control.counters import count_up
from control.database.session import Database
from control.database.tables import CounterRow
from tests.control.plane import Plane
from tests.control.two_writers import overtake


def counted(database: Database) -> dict[str, int]:
    with database.snapshot() as session:
        return {row.name: row.value for row in session.scalars(select(CounterRow))}


def test_counters_grow_from_nothing_and_what_did_not_happen_is_not_counted(either_plane: Plane) -> None:
    database = either_plane.services.database
    for by in ({"lost": 2, "late": 0}, {"lost": 1, "again": 3}, {}):
        with database.transaction() as session:
            count_up(session, by)
    assert counted(database) == {"lost": 3, "again": 3}


@pytest.mark.integration
def test_two_who_count_the_first_at_once_are_both_counted(postgresql_plane: Plane) -> None:
    database = postgresql_plane.services.database

    def count(session: Session) -> None:
        count_up(session, {"lost": 2})

    def count_too() -> None:
        with database.transaction() as session:
            count(session)

    overtake(database, count, count_too)
    assert counted(database) == {"lost": 4}
