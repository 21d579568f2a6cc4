"""Lists of words in a statement, on both databases."""

from uuid import uuid4

from sqlalchemy import select

from control.database.listed import listed
from tests.control.plane import Plane


def test_rows_come_back_as_they_were(either_plane: Plane) -> None:
    rows = [
        ("plain", 'with "quotes", commas and \\'),
        ("", "Gerät 7 \N{WHITE HEAVY CHECK MARK}"),
        ("'; --", "%s :name ?"),
    ]
    with either_plane.services.database.snapshot() as session:
        assert [tuple(row) for row in session.execute(select(*listed(session, rows)))] == rows


def test_more_rows_than_a_statement_has_parameters(either_plane: Plane) -> None:
    rows = [(str(uuid4()), str(number)) for number in range(70_000)]
    with either_plane.services.database.snapshot() as session:
        assert [tuple(row) for row in session.execute(select(*listed(session, rows)))] == rows
