"""The operators' side: assignments."""

from typing import Annotated, Any

from fastapi import Query, Response, status

from contract.queues import ControlTask
from control.answers.assignments import assignment_view, list_assignments
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.catalog.assignments import assign, find_assignment, unassign
from control.catalog.delivery_words import intent_of, terms_of
from control.catalog.revisions import find_app
from control.database.session import lock_planning
from control.database.tables import Role
from control.fleet.groups import find_group
from control.views.assignments import AssignmentRequest, AssignmentView
from control.views.page import Page

router = guarded_router("assignments")

# Names of groups hold no slash, those of apps may.
_ONE = "/assignments/{group}/{app:path}"


@router.post("/assignments", dependencies=[requires(Role.OPERATOR, confined=True)], status_code=status.HTTP_201_CREATED)
def make_assignment(
    body: AssignmentRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep, response: Response
) -> AssignmentView:
    """Want an app on a group, or leave the group out of it; devices that are online are sent to at once.

    What is not said goes back to its default: the assignment is then as the request says, and nothing else.
    """
    now = services.clock.now()
    intent = intent_of(None, body.mode) if body.intent is None else body.intent
    terms = terms_of(body)
    with services.database.transaction() as session:
        lock_planning(session)
        find_app(session, body.app)
        operator.require_group(find_group(session, body.group).id, body.group)
        if tag.is_conditional:
            tag.require(assignment_view(find_assignment(session, body.app, body.group)))
        _, app, group, created = assign(session, body.app, body.group, intent, now, terms=terms)
        view = assignment_view(find_assignment(session, app.name, group.name))
        services.audit.record(session, operator, "assignment.set", app.id, now=now, after=_said(view))
    services.queue.request(ControlTask.PLAN)
    if not created:
        response.status_code = status.HTTP_200_OK
    return view


@router.get("/assignments", dependencies=[requires(Role.VIEWER, confined=True)])
def assignments(
    services: ServicesDep,
    operator: OperatorDep,
    page: PageDep,
    app: Annotated[str | None, Query(description="Only those of this app.")] = None,
    group: Annotated[str | None, Query(description="Only those to this group.")] = None,
) -> Page[AssignmentView]:
    """Assignments; for a confined token, those to its groups."""
    with services.database.snapshot() as session:
        scope, app_id = operator.scope, None if app is None else find_app(session, app).id
        if group is not None:
            group_id = find_group(session, group).id
            operator.require_group(group_id, group)
            scope = frozenset({group_id})
        return list_assignments(session, page, scope, app_id)


@router.get(_ONE, dependencies=[requires(Role.VIEWER, confined=True)])
def assignment(app: str, group: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> AssignmentView:
    """One assignment."""
    with services.database.snapshot() as session:
        operator.require_group(find_group(session, group).id, group)
        return tag.on(assignment_view(find_assignment(session, app, group)))


@router.delete(_ONE, dependencies=[requires(Role.OPERATOR, confined=True)], status_code=status.HTTP_204_NO_CONTENT)
def remove_assignment(app: str, group: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> None:
    """Want nothing of an app on a group any more; jobs that wait for it are cancelled, what is installed stays."""
    now = services.clock.now()
    with services.database.transaction() as session:
        lock_planning(session)
        operator.require_group(find_group(session, group).id, group)
        view = assignment_view(find_assignment(session, app, group))
        tag.require(view)
        gone = unassign(session, app, group)
        services.audit.record(session, operator, "assignment.delete", gone.app.id, now=now, before=_said(view))
    services.queue.request(ControlTask.PLAN)


def _said(view: AssignmentView) -> dict[str, Any]:
    """What the audit log keeps of it."""
    return {**view.model_dump(mode="json", exclude_defaults=True, exclude={"created_at"}), "intent": view.intent.name}
