"""What runs beside the requests for as long as an API process lives."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from control.fleet.cutting_off import cutting_off
from control.fleet.saving_users import saving_users
from control.services import Services
from control.shards.following import following


def lifespan_of(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Finish in the background what the broker's absence left undone."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        upkeep = (
            cutting_off(services.database, services.enrollment, services.clock),
            saving_users(services.database, services.enrollment),
            following(services.database, services.brokers, services.clock),
        )
        for thread in upkeep:
            thread.start()
        try:
            yield
        finally:
            for thread in upkeep:
                await run_in_threadpool(thread.stop)

    return lifespan
