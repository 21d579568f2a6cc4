"""Why an app is as it is on a device: what is wanted of it and by whom, and what the device made of it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.report import Report
from contract.states import Applicability
from control.answers.jobs import job_detail
from control.answers.moment import Moment
from control.answers.why_reported import reported_reasons
from control.catalog.revisions import find_app
from control.database.tables import App, Device, Job, ReportRow
from control.fleet.devices import find_device
from control.planning.explain import explain
from control.planning.snapshot import load_fleet, load_names
from control.views.jobs import JobDetail
from control.views.why import Why, WhyKind, WhyReason


def why(session: Session, device: str, app: str, moment: Moment) -> Why:
    """The chain of reasons, from what is wanted to what was found.

    Raises:
        NotFoundError: There is no such device or app, or several devices have the name.
    """
    found, wanted = find_device(session, device), find_app(session, app)
    job = _newest_job(session, found, wanted, moment)
    reported = (_NOTHING_SENT,) if job is None else reported_reasons(job, _applicability(session, job.id))
    reasons = (*_planned(session, found, wanted, moment), *_offline(found, job, moment), *reported)
    return Why(
        device_id=found.id,
        device=found.name,
        app=wanted.name,
        as_wanted=None if job is None or job.outcome is None else job.outcome.as_desired,
        reasons=reasons,
    )


_NOTHING_SENT = WhyReason(kind=WhyKind.NO_JOB, words="nothing was planned for this app on this device yet", facts={})


def _planned(session: Session, device: Device, app: App, moment: Moment) -> tuple[WhyReason, ...]:
    """What planning decides and why, by the code that plans."""
    fleet = load_fleet(session, moment.now, device.id)
    chain = explain(fleet, device.id, app.id, load_names(session, fleet.demand))
    return tuple(
        WhyReason(kind=WhyKind.PLAN, words=reason.words, facts={"reason": reason.kind.value, **reason.facts})
        for reason in chain
    )


def _newest_job(session: Session, device: Device, app: App, moment: Moment) -> JobDetail | None:
    newest = (
        select(Job.id)
        .where(Job.device_id == device.id, Job.app_id == app.id)
        .order_by(Job.created_at.desc(), Job.id.desc())
        .limit(1)
    )
    job_id = session.scalar(newest)
    return None if job_id is None else job_detail(session, job_id, moment)


def _applicability(session: Session, job_id: str) -> Applicability | None:
    newest = (
        select(ReportRow.body)
        .where(ReportRow.job_id == job_id)
        .order_by(ReportRow.generation.desc(), ReportRow.attempt.desc(), ReportRow.sequence.desc())
        .limit(1)
    )
    body = session.scalar(newest)
    return None if body is None else Report.from_json(body).applicability


def _offline(device: Device, job: JobDetail | None, moment: Moment) -> tuple[WhyReason, ...]:
    """That the device is offline, where its job does not say so itself."""
    if device.retired_at is not None:
        facts: dict[str, str | int | bool | None] = {"since": device.retired_at.isoformat(), "retired": True}
        return (WhyReason(kind=WhyKind.OFFLINE, words="the device is retired", facts=facts),)
    if device.last_seen_at >= moment.online_since or (job is not None and job.waiting_for is not None):
        return ()
    since = f"{device.last_seen_at:%Y-%m-%d %H:%M:%S} UTC"
    facts = {"since": device.last_seen_at.isoformat(), "retired": False}
    return (WhyReason(kind=WhyKind.OFFLINE, words=f"the device is offline since {since}", facts=facts),)
