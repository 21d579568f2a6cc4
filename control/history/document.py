"""A job of long ago as one document: all that the tables had of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json, to_json

from control.database.tables import Job, PhaseRow, ReportRow
from control.database.tables.base import Base

#: What says how the job is kept, not what it was.
_OURS: Final = frozenset({"is_newest", "tallied_as"})


def document_of(job: Job, names: Mapping[str, str], phases: Sequence[PhaseRow], reports: Sequence[ReportRow]) -> str:
    """The document: the job's columns with its device's and app's `names`, `phases`, and `reports` as they came."""
    told = {name: value for name, value in _columns(job).items() if name not in _OURS}
    records = [{name: value for name, value in _columns(row).items() if name != "job_id"} for row in phases]
    said = [{"received_at": row.received_at, **from_json(row.body)} for row in reports]
    return to_json({**told, **names, "phases": records, "reports": said}).decode()


def _columns(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
