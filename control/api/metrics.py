"""Metrics for Prometheus, for whoever has a viewer's token."""

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from control.api.guarded_route import guarded_router, requires
from control.database.tables import Role
from control.fleet_metrics import FleetCollector
from control.services import Services

router = guarded_router("metrics", prefix="")


@router.get("/metrics", dependencies=[requires(Role.VIEWER)], response_class=Response)
def metrics(request: Request) -> Response:
    """This process' metrics and the fleet's; a scraper sends its token as `Authorization: Bearer TOKEN`.

    What a process counts by itself begins anew with it: several of them are scraped one by one and added up, while the
    fleet's figures are the same from each.
    """
    fleet: CollectorRegistry = request.app.state.fleet_metrics
    return Response(generate_latest() + generate_latest(fleet), media_type=CONTENT_TYPE_LATEST)


def fleet_registry(services: Services) -> CollectorRegistry:
    """The figures of the fleet."""
    registry = CollectorRegistry()
    registry.register(FleetCollector(services))
    return registry
