"""The operators' side: look at a job, send jobs anew, cancel them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from contract.queues import ControlTask
from control.answers.job_filter import JobFilter
from control.answers.jobs import job_detail
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import EntityTag, TagDep
from control.api.guarded_route import guarded_router, requires
from control.database.session import Database
from control.database.tables import Job, Role
from control.fleet.groups import find_group
from control.security.operators import Operator
from control.services import Services
from control.steering.actions import Steered, Wish, cancel_jobs, detect_jobs, only, retry_jobs
from control.steering.decisions import Change
from control.steering.selection import select_jobs
from control.views.jobs import JobDetail
from control.views.steering import BulkSteeringRequest, SteeredJob, SteeringReply, SteeringRequest

router = guarded_router("jobs", prefix="/v1/jobs")

#: Jobs that an answer names one by one.
_NAMED_JOBS = 100

_Note = Callable[[Session, Sequence[Steered]], None]
_Steer = Callable[[Database, Sequence[str], Wish], list[Steered]]


@router.get("/{job_id}", dependencies=[requires(Role.VIEWER, confined=True)])
def job(job_id: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> JobDetail:
    """One job with its phases, what it waits for and what happens next."""
    _require_job(services, operator, job_id)
    with services.database.snapshot() as session:
        return tag.on(job_detail(session, job_id, this_moment(services)))


@router.post("/retry", dependencies=[requires(Role.OPERATOR, confined=True)])
def retry_many(body: BulkSteeringRequest, services: ServicesDep, operator: OperatorDep) -> SteeringReply:
    """Send the selected jobs anew, now; what runs or is as desired is left alone."""
    _require_selection(services, operator, body)
    return _steer_many(services, body, retry_jobs, _note(services, operator, "jobs.retry", "many", body))


@router.post("/rerun-detection", dependencies=[requires(Role.OPERATOR, confined=True)])
def detect_many(body: BulkSteeringRequest, services: ServicesDep, operator: OperatorDep) -> SteeringReply:
    """Have devices judge anew how their apps stand; waits go on, and what is there is not touched."""
    _require_selection(services, operator, body)
    return _steer_many(services, body, detect_jobs, _note(services, operator, "jobs.detect", "many", body))


@router.post("/cancel", dependencies=[requires(Role.OPERATOR, confined=True)])
def cancel_many(body: BulkSteeringRequest, services: ServicesDep, operator: OperatorDep) -> SteeringReply:
    """Cancel the selected jobs that are not over."""
    _require_selection(services, operator, body)
    return _steer_many(services, body, cancel_jobs, _note(services, operator, "jobs.cancel", "many", body))


@router.post("/{job_id}/retry", dependencies=[requires(Role.OPERATOR, confined=True)])
def retry_one(
    job_id: str, body: SteeringRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> SteeringReply:
    """Send a job anew, now."""
    _require_job(services, operator, job_id)
    wish = _wish(services, body, _note(services, operator, "job.retry", job_id, body))
    return _steer_one(services, job_id, body, retry_jobs, _as_seen(wish, job_id, tag, services))


@router.post("/{job_id}/rerun-detection", dependencies=[requires(Role.OPERATOR, confined=True)])
def detect_one(
    job_id: str, body: SteeringRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> SteeringReply:
    """Have a device judge anew how an app stands."""
    _require_job(services, operator, job_id)
    wish = _wish(services, body, _note(services, operator, "job.detect", job_id, body))
    return _steer_one(services, job_id, body, detect_jobs, _as_seen(wish, job_id, tag, services))


@router.post("/{job_id}/cancel", dependencies=[requires(Role.OPERATOR, confined=True)])
def cancel_one(
    job_id: str, body: SteeringRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> SteeringReply:
    """Cancel a job: at once where its device has nothing of it, else by an order."""
    _require_job(services, operator, job_id)
    wish = _wish(services, body, _note(services, operator, "job.cancel", job_id, body))
    return _steer_one(services, job_id, body, cancel_jobs, _as_seen(wish, job_id, tag, services))


def _require_job(services: Services, operator: Operator, job_id: str) -> None:
    """Let pass only what concerns a job on a device of the operator's; an unknown one is refused later."""
    with services.database.snapshot() as session:
        job = session.get(Job, job_id)
        if job is not None:
            operator.require_device(session, job.device_id)


def _require_selection(services: Services, operator: Operator, body: BulkSteeringRequest) -> None:
    """Let a confined operator select among its own devices only: by one of its groups."""
    if operator.is_confined:
        wanted = body.selection.group
        with services.database.snapshot() as session:
            operator.require_group(None if wanted is None else find_group(session, wanted).id, wanted or "the fleet")


def _note(services: Services, operator: Operator, action: str, target: str, body: SteeringRequest) -> _Note:
    """Records what an order did: one entry for each transaction that it takes."""

    def note(session: Session, changed: Sequence[Steered]) -> None:
        done = Counter(one.verdict.change for one in changed)
        after = {**body.model_dump(mode="json"), "changes": done, "changed": [one.job_id for one in changed]}
        services.audit.record(session, operator, action, target, now=services.clock.now(), after=after)

    return note


def _as_seen(wish: Wish, job_id: str, tag: EntityTag, services: Services) -> Wish:
    """The wish, for a job that is as `If-Match` says."""

    def require(session: Session) -> None:
        tag.require(job_detail(session, job_id, this_moment(services)))

    return replace(wish, require=require) if tag.is_conditional else wish


def _steer_one(services: Services, job_id: str, body: SteeringRequest, steer: _Steer, wish: Wish) -> SteeringReply:
    steered = steer(services.database, [job_id], wish)
    return _reply(services, body, [only(steered, job_id)])


def _steer_many(services: Services, body: BulkSteeringRequest, steer: _Steer, note: _Note) -> SteeringReply:
    with services.database.snapshot() as session:
        job_ids = select_jobs(session, JobFilter(**body.selection.model_dump()))
    return _reply(services, body, steer(services.database, job_ids, _wish(services, body, note)))


def _wish(services: Services, body: SteeringRequest, note: _Note) -> Wish:
    moment = this_moment(services)
    return Wish(now=moment.now, online_since=moment.online_since, force=body.force, dry_run=body.dry_run, note=note)


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
