"""A condition on many words is one parameter, and finds what a list of them would."""

from collections.abc import Sequence

import pytest
from sqlalchemy import event, select

from control.database.among import among
from control.database.tables import Group
from tests.control.plane import Plane

_NAMED = select(Group.name).where(among(Group.name, "names")).order_by(Group.name)


@pytest.fixture
def groups(either_plane: Plane) -> Plane:
    for name in ('a "quoted" name', "straße, {curly}", "third"):
        either_plane.group(name)
    return either_plane


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), []),
        (("third",), ["third"]),
        (("third", "third", "fourth"), ["third"]),
        (('a "quoted" name', "straße, {curly}"), ['a "quoted" name', "straße, {curly}"]),
    ],
)
def test_rows_with_any_of_the_words_are_found(groups: Plane, names: Sequence[str], found: Sequence[str]) -> None:
    with groups.services.database.snapshot() as session:
        assert session.scalars(_NAMED, {"names": names}).all() == found


def test_the_statement_is_the_same_text_for_any_number_of_words(groups: Plane) -> None:
    texts: list[str] = []
    engine = groups.services.database.engine
    event.listen(engine, "before_cursor_execute", lambda _connection, _cursor, text, *_rest: texts.append(text))
    with groups.services.database.snapshot() as session:
        for names in ((), ("one",), ("one", "two", "three")):
            session.scalars(_NAMED, {"names": names}).all()
    asked = [text for text in texts if "groups" in text]
    assert len(asked) == 3
    assert len(set(asked)) == 1


def test_sqlite_finds_the_rows_in_an_index(plane: Plane) -> None:
    with plane.services.database.engine.connect() as connection:
        words = str(_NAMED.compile(plane.services.database.engine))
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", ('["one", "two"]',))
        steps = [row[-1] for row in plan]
    assert any(step.startswith("SEARCH groups") for step in steps), steps
