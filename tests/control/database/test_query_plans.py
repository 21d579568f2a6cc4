"""What is asked most never reads a whole large table, nor all of the history: plans of both databases, on a filled one.

A walk along an index is fine where it is part of the answer: a page in the order of names. An index that has the jobs
that were replaced, too, may be entered at a place, never walked from end to end, and nothing of it is put in order.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from control.answers import jobs, pages
from control.answers.job_events import changed_jobs, newest_change
from control.answers.job_filter import JobFilter
from control.answers.pages import PageRequest
from control.answers.revisions import list_revisions
from control.catalog.revisions import find_app
from control.database.session import Database
from control.dispatch.expiry import expire
from control.history.archive import archive_batch
from control.history.archived import count_archived
from control.planning.queueing import has_unqueued
from control.planning.selection import Span
from control.planning.snapshot import load_fleet
from control.tallies.counting import count_batch
from control.tallies.members import count_members
from tests.bench import big_fleet
from tests.bench.big_fleet import Size
from tests.bench.database import MOMENT, QUESTIONS, Ask
from tests.control.filled_database import filled_database

_SIZE = Size(devices=600, has_rollouts=True)
#: Tables that are never read whole; the second ones have what was replaced long ago.
_LARGE = ("devices", "group_members", "orders")
_WITH_HISTORY = ("jobs", "reports", "phase_records", "outbox", "archived_jobs")
#: Indexes of such tables that have only what is now.
_OF_NOW = (
    "uq_jobs_live",
    "uq_jobs_newest",
    "ix_jobs_newest_app",
    "ix_jobs_newest_state",
    "ix_jobs_moved",
    "ix_outbox_unsent",
)
_SQLITE_SCAN = re.compile(
    rf"SCAN (?:({'|'.join(_LARGE)})(?! USING (COVERING )?INDEX)"
    rf"|({'|'.join(_WITH_HISTORY)})(?! USING (COVERING )?INDEX ({'|'.join(_OF_NOW)})))"
)
_ALL_TABLES = "|".join((*_LARGE, *_WITH_HISTORY))
#: Without a condition an index is walked from end to end.
_POSTGRESQL_SCAN = re.compile(
    rf"Seq Scan on ({_ALL_TABLES})\b"
    rf"|Index (Only )?Scan (Backward )?using (?!{'|'.join(_OF_NOW)})\S+ on ({'|'.join(_WITH_HISTORY)})\b"
    rf"[^\n]*(?!\n\s*Index Cond)(?=\n|$)"
)

_PART = Span("4", "5")

_ASKED: dict[str, Ask] = {
    **QUESTIONS,
    "revisions of an app": lambda session, _: list_revisions(
        session, find_app(session, big_fleet.app_name(1)), PageRequest()
    ),
    "what changes from now on": lambda session, _: newest_change(session),
    "what has changed": lambda session, _: changed_jobs(
        session, JobFilter(app=big_fleet.app_name(1)), MOMENT, newest_change(session)
    ),
    "what is for the archive": lambda session, _: archive_batch(session, MOMENT.now, limit=5),
    "jobs of a device in the archive": lambda session, number: count_archived(session, big_fleet.device_id(number)),
    "what has moved since it was counted": lambda session, _: (count_batch(session), count_members(session)),
    "what planning looks at of some devices": lambda session, number: load_fleet(
        session, MOMENT.now, big_fleet.device_id(number), big_fleet.device_id(number + 1)
    ),
    "what a part of the fleet is to be sent": lambda session, _: has_unqueued(session, _PART, MOMENT.online_since),
    "jobs that are void": lambda session, _: expire(session, silent_since=MOMENT.online_since, now=MOMENT.now),
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with a fleet in it."""
    with filled_database(request, tmp_path_factory.mktemp("filled"), _SIZE) as database:
        yield database


@pytest.mark.parametrize("question", _ASKED)
def test_neither_a_large_table_nor_the_history_is_read_whole(filled: Database, question: str) -> None:
    with _explaining(filled) as connection, Session(connection) as session:
        with _statements(connection) as asked:
            _ASKED[question](session, 1)
        plans = {statement: _plan(connection, statement, parameters) for statement, parameters in asked}
    assert plans, "nothing was asked"
    scanning = {statement: plan for statement, plan in plans.items() if _reads_too_much(plan)}
    assert not scanning, "\n\n".join(f"{statement}\n{plan}" for statement, plan in scanning.items())


def test_the_jobs_of_the_fleet_that_have_an_error_are_not_looked_at_to_count_them(filled: Database) -> None:
    with _explaining(filled) as connection, Session(connection) as session:
        with _statements(connection) as asked:
            QUESTIONS["errors"](session, 1)
        plans = [_plan(connection, *one) for one in asked]
    assert any("ix_jobs_moved" in plan for plan in plans)
    assert not [plan for plan in plans if "ix_jobs_error" in plan]


@pytest.mark.parametrize("question", [question for question in QUESTIONS if question.startswith("rollout show")])
def test_devices_of_a_rollout_are_counted_from_an_index(filled: Database, question: str) -> None:
    with _explaining(filled) as connection, Session(connection) as session:
        with _statements(connection) as asked:
            QUESTIONS[question](session, 1)
        plans = [_plan(connection, *one) for one in asked]
    assert any("ix_rollout_devices_standing" in plan for plan in plans)
    assert not [
        plan for plan in plans if re.search(r"SCAN rollout_devices(?! USING)|Seq Scan on rollout_devices", plan)
    ]


@pytest.mark.parametrize(
    "question", [question for question in QUESTIONS if question.startswith("devices of a rollout")]
)
def test_many_devices_of_a_rollout_are_looked_at_in_the_order_of_names(
    filled: Database, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setattr(pages, "FEW", 100)
    with _explaining(filled) as connection, Session(connection) as session:
        with _statements(connection) as asked:
            QUESTIONS[question](session, 1)
        (plan,) = (_plan(connection, *one) for one in asked if "ORDER BY devices.name" in one[0] and "LIMIT" in one[0])
    assert "ix_devices_name" in plan
    assert not re.search(r"TEMP B-TREE|Sort", plan)


@pytest.mark.parametrize("question", ["summary of a rollout", "status of a rollout"])
def test_jobs_of_a_rollout_are_counted_from_its_tallies(
    filled: Database, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    monkeypatch.setattr(jobs, "FEW", 100)
    with _explaining(filled) as connection, Session(connection) as session:
        with _statements(connection) as asked:
            QUESTIONS[question](session, 1)
        plans = [_plan(connection, *one) for one in asked]
    assert any("rollout_tallies" in plan for plan in plans)
    all_devices = r"ix_rollout_devices_standing|SCAN rollout_devices|Seq Scan on rollout_devices|LIST SUBQUERY"
    assert not [plan for plan in plans if re.search(all_devices, plan)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM jobs WHERE error_detail = 'x'",
        "SELECT state, count(*) FROM jobs GROUP BY state",
        "SELECT id FROM jobs ORDER BY changed_at, id",
        "SELECT id FROM jobs WHERE is_newest = (1 = 0) ORDER BY id",
        "SELECT count(*) FROM phase_records WHERE summary = 'x'",
        "SELECT count(*) FROM devices WHERE site = 'x'",
    ],
)
def test_a_question_that_reads_too_much_is_found_out(filled: Database, statement: str) -> None:
    with _explaining(filled) as connection:
        plan = _plan(connection, statement, ())
    assert _reads_too_much(plan), plan


def _reads_too_much(plan: str) -> bool:
    return bool(_SQLITE_SCAN.search(plan) or _POSTGRESQL_SCAN.search(plan))


@contextmanager
def _explaining(database: Database) -> Iterator[Connection]:
    """A transaction of which nothing stays."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # So small a table is read whole because that is quick; an index must at least be there to use.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        yield connection
        connection.rollback()


@contextmanager
def _statements(connection: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that read, each with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        if statement.startswith(("SELECT", "WITH")) and "pg_advisory" not in statement:
            asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    yield asked
    event.remove(connection, "before_cursor_execute", note)


def _plan(connection: Connection, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    rows = connection.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)
