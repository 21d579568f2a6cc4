"""Metrics for Prometheus, for whoever has a viewer's token."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from control.api.dependencies import requires
from control.database.tables import Role

router = APIRouter(tags=["metrics"])


@router.get("/metrics", dependencies=[requires(Role.VIEWER)], response_class=Response)
def metrics() -> Response:
    """This process' metrics; a scraper sends its token as `Authorization: Bearer TOKEN`."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
