"""Answers about jobs."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, false, func, select
from sqlalchemy.orm import Session, aliased

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.jobs import JobState
from contract.report import Report
from control.answers.errors import known_error
from control.answers.job_filter import JobFilter, conditions
from control.answers.moment import Moment
from control.answers.pages import FEW, Key, PageRequest, few_of, read_page
from control.answers.tallied import Tallied
from control.answers.waits import Situation, waiting_of
from control.database.tables import App, Device, Job, OutboxEntry, PhaseRow, ReportRow, Revision
from control.dispatch.reconcile import watched_job
from control.dispatch.watch import expected_by
from control.views.jobs import JobDetail, JobView, PhaseView
from control.views.page import Page

#: Jobs of one device that are shown at once.
_SHOWN_JOBS = 100
#: What lists of jobs are ordered by.
JOB_ORDER: Final = (Device.name, Device.id, App.name, Job.id)


def list_jobs(session: Session, wanted: JobFilter, moment: Moment, page: PageRequest) -> Page[JobView]:
    """The jobs that the filter lets through, by device and app.

    Raises:
        NotFoundError: The filter names an app, group or device that is not there.
    """
    rows, cursor = read_page(session, _jobs().where(*_sought(session, wanted)), JOB_ORDER, page)
    found = [_Found(*row) for row in rows]
    running = _running(session, {one.job.device_id for one in found})
    return Page(items=tuple(JobView(**_fields(one, running, moment)) for one in found), next_cursor=cursor)


def jobs_in(
    session: Session, wanted: Sequence[ColumnElement[bool]], order: Sequence[Key], moment: Moment, limit: int
) -> list[JobView]:
    """The first jobs that fulfil these conditions, in this order."""
    rows = session.execute(_jobs().where(*wanted).order_by(*order).limit(limit))
    found = [_Found(*row) for row in rows]
    running = _running(session, {one.job.device_id for one in found})
    return [JobView(**_fields(one, running, moment)) for one in found]


def job_detail(session: Session, job_id: str, moment: Moment) -> JobDetail:
    """One job.

    Raises:
        NotFoundError: There is none.
    """
    found = _details(session, _jobs().where(Job.id == job_id), moment)
    if not found:
        raise NotFoundError(ErrorCode.UNKNOWN_JOB, place=job_id)
    return found[0]


def device_jobs(session: Session, device_id: str, moment: Moment) -> list[JobDetail]:
    """The newest jobs of a device with their phases and what their installers printed last, by app and age."""
    newest = select(Job.id).where(Job.device_id == device_id).order_by(Job.created_at.desc()).limit(_SHOWN_JOBS)
    return _details(session, _jobs().where(Job.id.in_(newest)).order_by(App.name, Job.created_at), moment)


def list_device_jobs(session: Session, device_id: str, moment: Moment, page: PageRequest) -> Page[JobDetail]:
    """All jobs of a device that are not in the archive, with their phases, by app and age."""
    wanted = _jobs().where(Job.device_id == device_id)
    rows, cursor = read_page(session, wanted, (App.name, Job.created_at, Job.id), page)
    return Page(items=tuple(_detailed(session, [_Found(*row) for row in rows], moment)), next_cursor=cursor)


def has_more_jobs(session: Session, device_id: str) -> bool:
    """Whether the device has more jobs than `device_jobs` shows."""
    beyond = select(Job.id).where(Job.device_id == device_id).offset(_SHOWN_JOBS).limit(1)
    return session.scalar(beyond) is not None


def _sought(session: Session, wanted: JobFilter) -> Sequence[ColumnElement[bool]]:
    """What rows must fulfil, in a form that is fast in the order of names, whether few or many jobs do.

    Where they are many, the conditions are written in a way that no index serves.
    """
    few = (
        None
        if _are_known_to_be_many(session, wanted)
        else few_of(session, select(Job.id).where(*conditions(session, wanted)))
    )
    if few is not None:
        return (Job.id.in_(few),)
    return and_(Job.is_newest), func.coalesce(and_(*conditions(session, wanted, one_by_one=True)), false())


def _are_known_to_be_many(session: Session, wanted: JobFilter) -> bool:
    """Whether the tallies say so at once; they are not asked about jobs in some state only, which mostly are few."""
    if any((wanted.state, wanted.outcome, wanted.error_code)):
        return False
    tallied = Tallied.of(session, wanted)
    return tallied is not None and tallied.number_of_jobs(session) > FEW


@dataclass(frozen=True)
class _Found:
    """A job with what is needed to say what it waits for."""

    job: Job
    device: str
    app: str
    seen_at: datetime
    retired_at: datetime | None
    max_run_time_seconds: float
    queued_at: datetime | None
    waits_for_app: str | None
    for_app: str | None


#: Rows that `_Found` is made of.
_Jobs: TypeAlias = Select[Job, str, str, datetime, datetime | None, float, datetime | None, str, str]
#: The running jobs of each device: their ids with the names of their apps.
_Running = Mapping[str, Mapping[str, str]]


def _details(session: Session, wanted: _Jobs, moment: Moment) -> list[JobDetail]:
    return _detailed(session, [_Found(*row) for row in session.execute(wanted)], moment)


def _detailed(session: Session, found: Sequence[_Found], moment: Moment) -> list[JobDetail]:
    """The jobs with what was heard of them: as many questions for a hundred jobs as for one."""
    ids = [one.job.id for one in found]
    running = _running(session, {one.job.device_id for one in found})
    phases, tails = _phases(session, ids), _output_tails(session, ids)
    return [
        JobDetail(
            **_fields(one, running, moment),
            phases=tuple(phases[one.job.id]),
            output_tail=tails.get(one.job.id, ""),
        )
        for one in found
    ]


def _phases(session: Session, job_ids: Sequence[str]) -> Mapping[str, list[PhaseView]]:
    phases: defaultdict[str, list[PhaseView]] = defaultdict(list)
    for row in session.scalars(select(PhaseRow).where(PhaseRow.job_id.in_(job_ids)).order_by(PhaseRow.started_at)):
        phases[row.job_id].append(PhaseView.model_validate(row))
    return phases


def _output_tails(session: Session, job_ids: Sequence[str]) -> Mapping[str, str]:
    newest_first = (ReportRow.generation.desc(), ReportRow.attempt.desc(), ReportRow.sequence.desc())
    rank = func.row_number().over(partition_by=ReportRow.job_id, order_by=newest_first).label("rank")
    ranked = select(ReportRow.job_id, ReportRow.body, rank).where(ReportRow.job_id.in_(job_ids)).subquery()
    newest = session.execute(select(ranked.c.job_id, ranked.c.body).where(ranked.c["rank"] == 1))
    return {job_id: Report.from_json(body).output_tail for job_id, body in newest}


_Awaited = aliased(App)
_Parent = aliased(App)


def _jobs() -> _Jobs:
    columns = (Job, Device.name, App.name, Device.last_seen_at, Device.retired_at, Revision.max_run_time_seconds)
    entry = (OutboxEntry.job_id == Job.id) & (OutboxEntry.generation == Job.generation) & OutboxEntry.sent_at.is_(None)
    return (
        select(*columns, OutboxEntry.created_at, _Awaited.name, _Parent.name)
        .join(Device, Device.id == Job.device_id)
        .join(App, App.id == Job.app_id)
        .join(Revision, (Revision.app_id == Job.app_id) & (Revision.number == Job.revision))
        .outerjoin(OutboxEntry, entry)
        .outerjoin(_Awaited, _Awaited.id == Job.waits_for_app_id)
        .outerjoin(_Parent, _Parent.id == Job.for_app_id)
    )


def _running(session: Session, device_ids: Collection[str]) -> _Running:
    rows = (
        select(Job.device_id, Job.id, App.name)
        .join(App, App.id == Job.app_id)
        .where(Job.state == JobState.RUNNING, Job.device_id.in_(device_ids))
    )
    running: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for device, job_id, app in session.execute(rows):
        running[device][job_id] = app
    return running


def _fields(found: _Found, running: _Running, moment: Moment) -> dict[str, Any]:
    job = found.job
    columns = {column.key: getattr(job, column.key) for column in Job.__table__.columns}
    waiting = waiting_of(_situation(found, columns, running, moment))
    return {
        **{name: value for name, value in columns.items() if name in JobView.model_fields},
        "device": found.device,
        "app": found.app,
        "waits_for_app": found.waits_for_app,
        "for_app": found.for_app,
        "hint": hint_of(job.error_code),
        "waiting_for": waiting.for_what,
        "waiting_since": waiting.since,
        "waiting_until": waiting.until,
        "next_action": waiting.words,
    }


def _situation(found: _Found, columns: Mapping[str, Any], running: _Running, moment: Moment) -> Situation:
    job = found.job
    watched = watched_job(job, timedelta(seconds=found.max_run_time_seconds), agent_started_at=None)
    ahead = (app for job_id, app in running.get(job.device_id, {}).items() if job_id != job.id)
    return Situation(
        **{name: columns[name] for name in _SITUATION_COLUMNS},
        now=moment.now,
        seen_at=found.seen_at,
        online=found.retired_at is None and found.seen_at >= moment.online_since,
        overdue_at=expected_by(watched, moment.silence_limit),
        queued_at=found.queued_at,
        ahead=next(ahead, None),
    )


#: What a situation takes from the job's row as it is.
_SITUATION_COLUMNS = tuple(
    field.name for field in fields(Situation) if field.name in {column.key for column in Job.__table__.columns}
)


def hint_of(error_code: str | None) -> str:
    """What the error table says to do; nothing for an error that a newer device knows and this side does not."""
    row = None if error_code is None else known_error(error_code)
    return "" if row is None else row.hint
