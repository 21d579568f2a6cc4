"""The API put together."""

from fastapi import FastAPI

from control.api import (
    device_app_routes,
    device_routes,
    health,
    metrics,
    operator_access,
    operator_assignments,
    operator_calls,
    operator_catalog,
    operator_changes,
    operator_enrollment,
    operator_events,
    operator_filters,
    operator_fleet,
    operator_groups,
    operator_jobs,
    operator_revisions,
    operator_rollouts,
    operator_secrets,
    operator_status,
)
from control.api.body_limits import BodyLimits
from control.api.idempotency import Idempotency
from control.api.lifespan import lifespan_of
from control.api.overload import OverloadGuard
from control.api.problems import PROBLEM_RESPONSES, install_problem_handlers
from control.services import Services

ROUTERS = (
    health.router,
    metrics.router,
    # Before the route of an app, whose name may hold slashes.
    operator_revisions.router,
    operator_catalog.router,
    operator_groups.router,
    operator_fleet.router,
    operator_enrollment.router,
    operator_access.router,
    operator_assignments.router,
    operator_filters.router,
    operator_changes.router,
    operator_jobs.router,
    operator_rollouts.router,
    operator_status.router,
    operator_calls.router,
    operator_events.router,
    operator_secrets.router,
)


def create_app(services: Services) -> FastAPI:
    """The app that serves devices and operators with these services."""
    app = FastAPI(
        title="Outrider",
        summary="Deploys apps to fleets of devices.",
        redoc_url=None,
        lifespan=lifespan_of(services),
        # The app's own, and first: what is included is looked through twice for each request.
        routes=[*device_routes.signed_router.routes, *device_routes.router.routes, *device_app_routes.router.routes],
    )
    app.state.services = services
    app.state.streams = operator_events.Streams()
    app.state.fleet_metrics = metrics.fleet_registry(services)
    app.add_middleware(Idempotency, services=services)
    app.add_middleware(BodyLimits)
    app.add_middleware(OverloadGuard, at_once=services.settings.device_requests_at_once)
    install_problem_handlers(app)
    for router in ROUTERS:
        app.include_router(router, responses=PROBLEM_RESPONSES)
    return app
