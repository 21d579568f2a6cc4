"""Keep the phases of attempts, from progress and reports alike."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection

from contract.report import PhaseRecord, Progress, Report
from control.database.conflicts import ConflictInsert, insert_into
from control.database.tables import PhaseRow
from control.ingest.storable import storable_text

_KEY: Final = ("job_id", "generation", "attempt", "phase")
_REST: Final = ("outcome", "started_at", "ended_at", "duration_seconds", "bytes_done", "summary")


def store_phases(connection: Connection, records: Iterable[tuple[Report | Progress, PhaseRecord]]) -> None:
    """Keep records of phases, each beside what told of it; a later one of an attempt's phase takes its place."""
    rows = [_row(of, record) for of, record in records]
    if rows:
        connection.execute(_upsert(connection.dialect.name), rows)


def _row(of: Report | Progress, record: PhaseRecord) -> dict[str, Any]:
    rest = {name: getattr(record, name) for name in _REST} | {"summary": storable_text(record.summary)}
    return {**rest, "job_id": of.job_id, "generation": of.generation, "attempt": of.attempt, "phase": record.phase}


@lru_cache
def _upsert(dialect: str) -> ConflictInsert:
    statement = insert_into(PhaseRow, dialect)
    return statement.on_conflict_do_update(index_elements=_KEY, set_={name: statement.excluded[name] for name in _REST})
