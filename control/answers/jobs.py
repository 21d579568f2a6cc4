"""Answers about jobs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from contract.error_codes import ErrorCode
from contract.jobs import JobState
from contract.report import Report
from control.catalog.revisions import find_app
from control.database.tables import App, Device, GroupMember, Job, PhaseRow, ReportRow
from control.fleet.devices import find_device
from control.fleet.groups import find_group
from control.views import JobDetail, JobView, PhaseView

_NEXT_ACTIONS = {
    JobState.PLANNED: "is sent when the device checks in",
    JobState.SENT: "the device begins when it has received it",
    JobState.RUNNING: "",
    JobState.FINISHED: "",
    JobState.CANCELLED: "",
}


@dataclass(frozen=True)
class JobFilter:
    """Which jobs; None means any. Of a device and app only the newest counts; the device's page has all."""

    app: str | None = None
    group: str | None = None
    device: str | None = None


def list_jobs(session: Session, wanted: JobFilter) -> list[JobView]:
    """The jobs that the filter lets through, by device and app.

    Raises:
        NotFoundError: The filter names an app, group or device that is not there.
    """
    later = aliased(Job)
    same = (
        (later.device_id == Job.device_id)
        & (later.app_id == Job.app_id)
        & (later.created_at > Job.created_at)
        & (later.state != JobState.CANCELLED)
    )
    rows = _jobs().where(Job.state != JobState.CANCELLED, ~select(later.id).where(same).exists())
    if wanted.app is not None:
        rows = rows.where(Job.app_id == find_app(session, wanted.app).id)
    if wanted.device is not None:
        rows = rows.where(Job.device_id == find_device(session, wanted.device).id)
    if wanted.group is not None:
        members = select(GroupMember.device_id).where(GroupMember.group_id == find_group(session, wanted.group).id)
        rows = rows.where(Job.device_id.in_(members))
    return [JobView(**_fields(*row)) for row in session.execute(rows)]


def device_jobs(session: Session, device_id: str) -> list[JobDetail]:
    """All jobs of a device with their phases and what their installers printed last."""
    details = []
    for job, device, app in session.execute(_jobs().where(Job.device_id == device_id)):
        phases = session.scalars(select(PhaseRow).where(PhaseRow.job_id == job.id).order_by(PhaseRow.started_at))
        views = tuple(PhaseView.model_validate(phase) for phase in phases)
        details.append(JobDetail(**_fields(job, device, app), phases=views, output_tail=_output_tail(session, job.id)))
    return details


def _output_tail(session: Session, job_id: str) -> str:
    newest = (
        select(ReportRow.body)
        .where(ReportRow.job_id == job_id)
        .order_by(ReportRow.generation.desc(), ReportRow.attempt.desc(), ReportRow.sequence.desc())
        .limit(1)
    )
    body = session.scalar(newest)
    return "" if body is None else Report.from_json(body).output_tail


def _jobs() -> Select[Job, str, str]:
    return (
        select(Job, Device.name, App.name)
        .join(Device, Device.id == Job.device_id)
        .join(App, App.id == Job.app_id)
        .order_by(Device.name, App.name, Job.created_at)
    )


def _fields(job: Job, device: str, app: str) -> dict[str, Any]:
    columns = {column.key: getattr(job, column.key) for column in Job.__table__.columns}
    reason = job.next_action_reason.sentence if job.next_action_reason is not None else ""
    return {
        **{name: value for name, value in columns.items() if name in JobView.model_fields},
        "device": device,
        "app": app,
        "hint": hint_of(job.error_code),
        "next_action": next_action(job.state, job.next_action_at, reason),
    }


def next_action(state: JobState, at: datetime | None, reason: str) -> str:
    """What happens next by itself, when, and why only then."""
    if state is JobState.WAITING and at is not None:
        return f"next attempt at {at:%Y-%m-%d %H:%M:%S} UTC: {reason}"
    return _NEXT_ACTIONS.get(state, "")


def hint_of(error_code: str | None) -> str:
    """What the error table says to do; nothing for an error that a newer device knows and this side does not."""
    if error_code is None:
        return ""
    try:
        return ErrorCode.from_slug(error_code).hint
    except KeyError:
        return ""
