"""The operators' side: assignments and what became of them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from contract.queues import ControlTask
from control.answers.apps import list_assignments
from control.answers.job_filter import JobFilter
from control.answers.jobs import list_jobs
from control.answers.moment import this_moment
from control.api.dependencies import OperatorDep, ServicesDep, requires
from control.api.pages import PageDep
from control.catalog.assignments import assign
from control.database.tables import Role
from control.views.assignments import AssignmentRequest, AssignmentView
from control.views.jobs import JobView
from control.views.page import Page

router = APIRouter(prefix="/v1", tags=["assignments"])


@router.post("/assignments", dependencies=[requires(Role.OPERATOR, confined=True)], status_code=status.HTTP_201_CREATED)
def make_assignment(
    body: AssignmentRequest, services: ServicesDep, operator: OperatorDep, response: Response
) -> AssignmentView:
    """Want an app on a group; devices that are online are sent to at once."""
    now = services.clock.now()
    with services.database.transaction() as session:
        assignment, app, group, created = assign(session, body.app, body.group, body.intent, now)
        operator.require_group(group.id, group.name)
        after = {"app": app.name, "group": group.name, "intent": body.intent.name}
        services.audit.record(session, operator, "assignment.set", app.id, now=now, after=after)
    services.queue.request(ControlTask.PLAN)
    if not created:
        response.status_code = status.HTTP_200_OK
    return AssignmentView(app=app.name, group=group.name, intent=assignment.intent, created_at=assignment.created_at)


@router.get("/assignments", dependencies=[requires(Role.VIEWER, confined=True)])
def assignments(services: ServicesDep, operator: OperatorDep, page: PageDep) -> Page[AssignmentView]:
    """All assignments; for a confined token, those to its groups."""
    with services.database.snapshot() as session:
        return list_assignments(session, page, operator.scope)


@router.get("/status", dependencies=[requires(Role.VIEWER, confined=True)])
def status_of_jobs(
    services: ServicesDep,
    operator: OperatorDep,
    page: PageDep,
    app: Annotated[str | None, Query(description="Only this app.")] = None,
    group: Annotated[str | None, Query(description="Only devices of this group.")] = None,
    device: Annotated[str | None, Query(description="Only this device, by name or id.")] = None,
) -> Page[JobView]:
    """Where each job is, what came of it, and what happens next; for a confined token, on the devices in its groups."""
    wanted = JobFilter(app=app, group=group, device=device, group_ids=operator.scope)
    with services.database.snapshot() as session:
        return list_jobs(session, wanted, this_moment(services), page)
