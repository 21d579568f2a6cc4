"""The operators' side: look at a job, send jobs anew, cancel them."""

from collections import Counter
from collections.abc import Callable, Sequence

from fastapi import APIRouter

from contract.queues import ControlTask
from control.answers.jobs import JobFilter, job_detail
from control.answers.moment import this_moment
from control.api.dependencies import ServicesDep, requires
from control.database.session import Database
from control.database.tables import Role
from control.services import Services
from control.steering.actions import Steered, Wish, cancel_jobs, only, retry_jobs
from control.steering.decisions import Change
from control.steering.selection import select_jobs
from control.views import BulkSteeringRequest, JobDetail, SteeredJob, SteeringReply, SteeringRequest

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

#: Jobs that an answer names one by one.
_NAMED_JOBS = 100

_Steer = Callable[[Database, Sequence[str], Wish], list[Steered]]


@router.get("/{job_id}", dependencies=[requires(Role.VIEWER)])
def job(job_id: str, services: ServicesDep) -> JobDetail:
    """One job with its phases, what it waits for and what happens next."""
    with services.database.snapshot() as session:
        return job_detail(session, job_id, this_moment(services))


@router.post("/retry", dependencies=[requires(Role.OPERATOR)])
def retry_many(body: BulkSteeringRequest, services: ServicesDep) -> SteeringReply:
    """Send the selected jobs anew, now; what runs or is as desired is left alone."""
    return _steer_many(services, body, retry_jobs)


@router.post("/cancel", dependencies=[requires(Role.OPERATOR)])
def cancel_many(body: BulkSteeringRequest, services: ServicesDep) -> SteeringReply:
    """Cancel the selected jobs that are not over."""
    return _steer_many(services, body, cancel_jobs)


@router.post("/{job_id}/retry", dependencies=[requires(Role.OPERATOR)])
def retry_one(job_id: str, body: SteeringRequest, services: ServicesDep) -> SteeringReply:
    """Send a job anew, now."""
    return _steer_one(services, job_id, body, retry_jobs)


@router.post("/{job_id}/cancel", dependencies=[requires(Role.OPERATOR)])
def cancel_one(job_id: str, body: SteeringRequest, services: ServicesDep) -> SteeringReply:
    """Cancel a job: at once where its device has nothing of it, else by an order."""
    return _steer_one(services, job_id, body, cancel_jobs)


def _steer_one(services: Services, job_id: str, body: SteeringRequest, steer: _Steer) -> SteeringReply:
    steered = steer(services.database, [job_id], _wish(services, body))
    return _reply(services, body, [only(steered, job_id)])


def _steer_many(services: Services, body: BulkSteeringRequest, steer: _Steer) -> SteeringReply:
    with services.database.snapshot() as session:
        job_ids = select_jobs(session, JobFilter(**body.selection.model_dump()))
    return _reply(services, body, steer(services.database, job_ids, _wish(services, body)))


def _wish(services: Services, body: SteeringRequest) -> Wish:
    moment = this_moment(services)
    return Wish(now=moment.now, online_since=moment.online_since, force=body.force, dry_run=body.dry_run)


def _reply(services: Services, body: SteeringRequest, steered: Sequence[Steered]) -> SteeringReply:
    changes = Counter(one.verdict.change for one in steered)
    if changes[Change.RESENT] and not body.dry_run:
        services.queue.request(ControlTask.DISPATCH)
    refused_first = sorted(steered, key=lambda one: one.verdict.change is not Change.REFUSED)
    return SteeringReply(
        dry_run=body.dry_run,
        matched=len(steered),
        changes=dict(changes),
        jobs=tuple(_view(one) for one in refused_first[:_NAMED_JOBS]),
    )


def _view(one: Steered) -> SteeredJob:
    refusal = one.verdict.refusal
    return SteeredJob(
        id=one.job_id,
        device=one.device,
        app=one.app,
        state=one.state,
        change=one.verdict.change,
        refusal=None if refusal is None else refusal.slug,
    )
