"""The operators' side: rollouts."""

from typing import Annotated

from fastapi import Query, status

from contract.queues import ControlTask
from control.answers.moment import this_moment
from control.answers.rollouts import list_rollouts, rollout_detail, rollout_devices, rollout_events
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.database.session import lock_planning
from control.database.tables import Role
from control.rollouts.actions import Order, act
from control.rollouts.creation import create_rollout
from control.rollouts.forecasting import forecast_rollout
from control.rollouts.lookup import find_rollout
from control.rollouts.states import OperatorAction
from control.views.page import Page
from control.views.rollouts import (
    RolloutDetail,
    RolloutDeviceView,
    RolloutEventView,
    RolloutForecast,
    RolloutOrder,
    RolloutRequest,
    RolloutView,
)

router = guarded_router("rollouts", prefix="/v1/rollouts")


@router.post("/plan", dependencies=[requires(Role.VIEWER)])
def plan(body: RolloutRequest, services: ServicesDep) -> RolloutForecast:
    """What a rollout would do: devices by ring, bytes, time, and which devices the app is not for."""
    with services.database.snapshot() as session:
        return forecast_rollout(session, body, this_moment(services))


@router.post("", dependencies=[requires(Role.OPERATOR)], status_code=status.HTTP_201_CREATED)
def create(body: RolloutRequest, services: ServicesDep, operator: OperatorDep) -> RolloutDetail:
    """Make a rollout of an app's newest revision: its devices keep what they have until it is started."""
    moment = this_moment(services)
    with services.database.transaction() as session:
        rollout = create_rollout(
            session,
            body.app,
            body.spec,
            actor=operator.name,
            now=moment.now,
            revision=body.revision,
            name=body.name,
        )
        detail = rollout_detail(session, rollout.id, moment)
        after = detail.model_dump(mode="json", include={"name", "app", "revision", "baseline", "spec"})
        services.audit.record(session, operator, "rollout.create", rollout.name, now=moment.now, after=after)
    services.queue.request(ControlTask.PLAN)
    return detail


@router.get("", dependencies=[requires(Role.VIEWER)])
def rollouts(
    services: ServicesDep,
    page: PageDep,
    app: Annotated[str | None, Query(description="Only rollouts of this app, by name or id.")] = None,
) -> Page[RolloutView]:
    """All rollouts, oldest first."""
    with services.database.snapshot() as session:
        return list_rollouts(session, page, app)


@router.get("/{name:path}/devices", dependencies=[requires(Role.VIEWER)])
def devices(
    name: str,
    services: ServicesDep,
    page: PageDep,
    ring: Annotated[str | None, Query(description="Only devices of this ring.")] = None,
) -> Page[RolloutDeviceView]:
    """The devices of a rollout, by name."""
    with services.database.snapshot() as session:
        return rollout_devices(session, name, this_moment(services), page, ring)


@router.get("/{name:path}/events", dependencies=[requires(Role.VIEWER)])
def events(name: str, services: ServicesDep, page: PageDep) -> Page[RolloutEventView]:
    """What happened to a rollout, oldest first."""
    with services.database.snapshot() as session:
        return rollout_events(session, name, page)


@router.get("/{name:path}", dependencies=[requires(Role.VIEWER)])
def rollout(name: str, services: ServicesDep, tag: TagDep) -> RolloutDetail:
    """One rollout, by name or id: its rings, their gates, and what happens next."""
    with services.database.snapshot() as session:
        return tag.on(rollout_detail(session, name, this_moment(services)))


@router.post("/{name:path}/{action}", dependencies=[requires(Role.OPERATOR)])
def steer(
    name: str, action: OperatorAction, body: RolloutOrder, services: ServicesDep, operator: OperatorDep, tag: TagDep
) -> RolloutDetail:
    """Start, pause, resume, halt, cancel or roll back; doing again what has been done changes nothing."""
    moment = this_moment(services)
    with services.database.transaction() as session:
        lock_planning(session)
        found = find_rollout(session, name)
        if tag.is_conditional:
            tag.require(rollout_detail(session, found.id, moment))
        before = {"state": found.state}
        order = Order(
            action.action, moment.now, moment.online_since, services.policies, actor=operator.name, reason=body.reason
        )
        changed, is_new = act(session, found.id, order)
        detail = rollout_detail(session, found.id, moment)
        if is_new:
            after = {"state": changed.state, "reason": changed.reason}
            services.audit.record(
                session, operator, f"rollout.{action}", changed.name, now=moment.now, before=before, after=after
            )
    services.queue.request(ControlTask.ROLLOUT)
    services.queue.request(ControlTask.PLAN)
    return detail
