"""The operators' side: which revisions are deployed where; pin, roll forward, roll back."""

from collections.abc import Callable
from functools import partial

from fastapi import status
from sqlalchemy.orm import Session

from contract.queues import ControlTask
from control.answers.revisions import deployment, list_revisions
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import EntityTag, TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.catalog.pins import bring_back, pin, roll_forward
from control.catalog.revisions import find_app
from control.database.session import lock_planning
from control.database.tables import App, Role
from control.security.operators import Operator
from control.services import Services
from control.views.page import Page
from control.views.revisions import DeployedRevisionView, DeploymentView, PinRequest, RollbackRequest

router = guarded_router("revisions", prefix="/v1/apps/{name:path}")


@router.get("/revisions", dependencies=[requires(Role.VIEWER)])
def revisions(name: str, services: ServicesDep, page: PageDep) -> Page[DeployedRevisionView]:
    """The revisions of an app, oldest first, with how many devices have come how far with each."""
    with services.database.snapshot() as session:
        return list_revisions(session, find_app(session, name), page)


@router.get("/pin", dependencies=[requires(Role.VIEWER)])
def deployed(name: str, services: ServicesDep, tag: TagDep) -> DeploymentView:
    """Which revision of the app is deployed, and whether it is pinned."""
    with services.database.snapshot() as session:
        return tag.on(deployment(session, find_app(session, name)))


@router.put("/pin", dependencies=[requires(Role.OPERATOR)])
def pin_revision(
    name: str, body: PinRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> DeploymentView:
    """Deploy this revision until another one is pinned; devices that have had a newer one keep theirs."""
    change = partial(pin, revision=body.revision)
    return tag.on(_changed(services, operator, tag, name, "app.pin", change))


@router.delete("/pin", dependencies=[requires(Role.OPERATOR)])
def unpin_revision(name: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> DeploymentView:
    """Deploy the newest revision from now on."""
    return tag.on(_changed(services, operator, tag, name, "app.unpin", roll_forward))


@router.post("/rollback", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_201_CREATED)
def roll_back_app(
    name: str, body: RollbackRequest, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> DeploymentView:
    """Deploy an older revision again, under a new number, on all devices that are assigned the app."""
    change = partial(bring_back, revision=body.revision, policies=services.policies, now=services.clock.now())
    return tag.on(_changed(services, operator, tag, name, "app.rollback", change))


def _changed(
    services: Services,
    operator: Operator,
    tag: EntityTag,
    name: str,
    action: str,
    change: Callable[[Session, App], object],
) -> DeploymentView:
    """Change which revision is deployed, while it is as `If-Match` says, and note who did."""
    with services.database.transaction() as session:
        lock_planning(session)
        app = find_app(session, name)
        before = deployment(session, app)
        tag.require(before)
        change(session, app)
        after = deployment(session, app)
        noted = {"before": before.model_dump(), "after": after.model_dump()}
        services.audit.record(session, operator, action, app.id, now=services.clock.now(), **noted)
    services.queue.request(ControlTask.PLAN)
    return after
