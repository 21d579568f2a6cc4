"""Whether the API can do its work."""

from fastapi import APIRouter
from sqlalchemy import select

from control.api.dependencies import ServicesDep
from control.database.tables import App
from control.views.health import Health

router = APIRouter(prefix="/v1", tags=["health"])


@router.get("/health")
def health(services: ServicesDep) -> Health:
    """Answers once the database answers and has its tables."""
    with services.database.snapshot() as session:
        session.execute(select(App.id).limit(1))
    return Health()
