"""Somebody at a device asks for an available app: it is wanted from then on, and what failed is tried at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from contract.available_apps import AppRequest, AppRequestKind, AvailableApp
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.jobs import JobState
from contract.states import Outcome
from contract.uplink import GenerationReason
from control.database.session import lock_planning
from control.database.tables import AppRequestRow, Device, Job
from control.dispatch.resend import resend
from control.fleet.offers import Offers, newest_jobs
from control.planning.service import plan_device

_UNSATISFYING: Final = frozenset({Outcome.FAILED, Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET})


@dataclass(frozen=True)
class Answered:
    """What came of a request.

    Attributes:
        app: How the app stands now.
        before: What had been asked for; None for nothing.
        is_change: Whether anything is different: another wish, or something is tried anew.
    """

    app: AvailableApp
    before: AppRequestKind | None
    is_change: bool


def ask(session: Session, device: Device, request: AppRequest, *, now: datetime, online_since: datetime) -> Answered:
    """Want an available app on the device, or want it gone; the same again tries anew what failed, and nothing else.

    An operator's cancellation stands: it is the operator who takes it back.

    Raises:
        NotFoundError: The device is not offered the app, or nobody there asked for what is to be uninstalled.
    """
    lock_planning(session)
    app_id = Offers.load(session, device.id, now).find(request.app)
    row = session.get(AppRequestRow, (device.id, app_id))
    before = None if row is None else row.kind
    if before is None and request.kind is AppRequestKind.UNINSTALL:
        raise NotFoundError(ErrorCode.APP_NOT_REQUESTED, place=request.app)
    if before is not request.kind:
        session.merge(AppRequestRow(device_id=device.id, app_id=app_id, kind=request.kind, requested_at=now))
        session.flush()
        plan_device(session, device.id, now=now, online_since=online_since)
    resent = _try_anew(session, device, app_id, now, online=device.last_seen_at >= online_since)
    if resent:
        # Apps that wait for what is tried anew are shown as waiting again, no longer as failed.
        plan_device(session, device.id, now=now, online_since=online_since)
    app = Offers.load(session, device.id, now).describe(session, app_id)
    return Answered(app, before, is_change=resent or before is not request.kind)


def _try_anew(session: Session, device: Device, app_id: str, now: datetime, *, online: bool) -> bool:
    jobs = newest_jobs(session, device.id)
    failed = sorted((job for job in _concerned(jobs, app_id) if _has_failed(job)), key=lambda job: job.id)
    for job in failed:
        session.refresh(job, with_for_update=True)
        resend(session, job, GenerationReason.REQUEST, now, online=online)
    session.flush()
    return bool(failed)


def _concerned(jobs: Mapping[str, Job], app_id: str) -> Iterator[Job]:
    """The app's job and those that other apps have because of it."""
    pending, seen = [app_id], {app_id}
    while pending:
        one = pending.pop()
        if one in jobs:
            yield jobs[one]
        related = {job.app_id for job in jobs.values() if job.for_app_id == one} - seen
        seen |= related
        pending += sorted(related)


def _has_failed(job: Job) -> bool:
    if job.state is JobState.WAITING:
        return job.outcome is Outcome.FAILED
    return job.state is JobState.FINISHED and job.outcome in _UNSATISFYING
