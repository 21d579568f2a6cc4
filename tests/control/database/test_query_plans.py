"""What is asked most never reads a whole large table: plans of both databases, on a filled one.

A walk along an index is fine where it is part of the answer: a page in the order of names, a count of the newest jobs.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from control.answers.job_events import changed_jobs, newest_change
from control.answers.job_filter import JobFilter
from control.answers.pages import PageRequest
from control.answers.revisions import list_revisions
from control.catalog.revisions import find_app
from control.database.migrate import upgrade
from control.database.session import Database
from control.dispatch.expiry import expire
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.database import MOMENT, QUESTIONS, Ask
from tests.support.database import new_database

_SIZE = Size(devices=600)
_LARGE = ("jobs", "devices", "reports", "phase_records", "outbox", "group_members", "orders")
_SQLITE_SCAN = re.compile(rf"SCAN ({'|'.join(_LARGE)})(?! USING (COVERING )?INDEX)")
_POSTGRESQL_SCAN = re.compile(rf"Seq Scan on ({'|'.join(_LARGE)})\b")

_ASKED: dict[str, Ask] = {
    **QUESTIONS,
    "revisions of an app": lambda session, _: list_revisions(
        session, find_app(session, big_fleet.app_name(1)), PageRequest()
    ),
    "what changes from now on": lambda session, _: newest_change(session),
    "what has changed": lambda session, _: changed_jobs(
        session, JobFilter(app=big_fleet.app_name(1)), MOMENT, newest_change(session)
    ),
    "jobs that are void": lambda session, _: expire(session, silent_since=MOMENT.online_since, now=MOMENT.now),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a fleet in it."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('filled') / 'control.db'}"
        if request.param == "postgresql":
            url = stack.enter_context(new_database(request.getfixturevalue("postgresql_server")))
        database = stack.enter_context(closing(Database.at(url)))
        upgrade(database)
        big_fleet.fill(database, _SIZE)
        yield database


@pytest.mark.parametrize("question", _ASKED)
def test_no_large_table_is_read_whole(filled: Database, question: str) -> None:
    with filled.transaction() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            # So small a table is read whole because that is quick; an index must at least be there to use.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        with _statements(connection) as asked:
            _ASKED[question](session, 1)
        plans = {statement: _plan(connection, statement, parameters) for statement, parameters in asked}
        session.rollback()
    assert plans, "nothing was asked"
    forbidden = _POSTGRESQL_SCAN if connection.dialect.name == "postgresql" else _SQLITE_SCAN
    scanning = {statement: plan for statement, plan in plans.items() if forbidden.search(plan)}
    assert not scanning, "\n\n".join(f"{statement}\n{plan}" for statement, plan in scanning.items())


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_a_question_that_no_index_serves_is_found_out(filled: Database) -> None:
    with filled.transaction() as session:
        plan = _plan(session.connection(), "SELECT id FROM jobs WHERE error_detail = 'x'", ())
    assert _SQLITE_SCAN.search(plan)


@contextmanager
def _statements(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that read, each with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.startswith("SELECT") and "pg_advisory" not in statement:
            asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    yield asked
    event.remove(connection, "before_cursor_execute", note)


def _plan(connection: Connection, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)
