"""Move what was replaced long ago into the archive, in batches of one transaction each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.orm import Session, aliased

from control.database.session import Database
from control.database.tables import App, ArchivedJob, Device, Job, OrderRow, OutboxEntry, PhaseRow, ReportRow
from control.history.document import document_of
from control.live_states import LIVE_STATES

#: Jobs of one transaction: nobody waits for its locks for long.
BATCH: Final = 200

#: What else there is of a job.
_OF_JOBS: Final = (OrderRow, OutboxEntry, PhaseRow, ReportRow)

_RowT = TypeVar("_RowT", PhaseRow, ReportRow)


def archive(database: Database, *, replaced_before: datetime, limit: int) -> int:
    """Move up to `limit` jobs that were replaced before then, the oldest first; how many.

    Raises:
        UnavailableError: The database does not answer; what was moved until then is moved.
    """
    moved = 0
    while moved < limit:
        with database.transaction() as session:
            batch = archive_batch(session, replaced_before, min(BATCH, limit - moved))
        if not batch:
            break
        moved += batch
    return moved


def archive_batch(session: Session, replaced_before: datetime, limit: int = BATCH) -> int:
    """Move some of them; how many."""
    old = (
        select(Job)
        .where(*_is_history(replaced_before))
        .order_by(Job.changed_at, Job.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    jobs = session.scalars(old).all()
    if jobs:
        _keep(session, jobs)
        ids = [job.id for job in jobs]
        for kind in _OF_JOBS:
            session.execute(delete(kind).where(kind.job_id.in_(ids)))
        session.execute(delete(Job).where(Job.id.in_(ids)))
    return len(jobs)


def _is_history(replaced_before: datetime) -> tuple[ColumnElement[bool], ...]:
    """A job is history when it is over, another has its place, and no tally counts it.

    Where that other one was never sent it may yet be superseded, and hand the place back; then this one is waited with.
    """
    newest = aliased(Job)
    same = (newest.device_id == Job.device_id, newest.app_id == Job.app_id, newest.is_newest)
    may_come_back = exists().where(*same, newest.sent_at.is_(None))
    over = Job.state.not_in(LIVE_STATES)
    return ~Job.is_newest, Job.changed_at < replaced_before, over, Job.tallied_as == "", ~may_come_back


def _keep(session: Session, jobs: Sequence[Job]) -> None:
    ids = [job.id for job in jobs]
    phases = _by_job(session.scalars(select(PhaseRow).where(PhaseRow.job_id.in_(ids)).order_by(PhaseRow.started_at)))
    reports = _by_job(session.scalars(select(ReportRow).where(ReportRow.job_id.in_(ids)).order_by(*_REPORT_ORDER)))
    names = _names(session, ids)
    session.add_all(
        ArchivedJob(
            id=job.id,
            device_id=job.device_id,
            replaced_at=job.changed_at,
            document=document_of(job, names[job.id], phases[job.id], reports[job.id]),
        )
        for job in jobs
    )
    session.flush()


_REPORT_ORDER: Final = (ReportRow.generation, ReportRow.attempt, ReportRow.sequence)


def _by_job(rows: Iterable[_RowT]) -> Mapping[str, list[_RowT]]:
    found: defaultdict[str, list[_RowT]] = defaultdict(list)
    for row in rows:
        found[row.job_id].append(row)
    return found


def _names(session: Session, job_ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    named = (
        select(Job.id, Device.name, App.name)
        .join(Device, Device.id == Job.device_id)
        .join(App, App.id == Job.app_id)
        .where(Job.id.in_(job_ids))
    )
    return {job_id: {"device": device, "app": app} for job_id, device, app in session.execute(named)}
