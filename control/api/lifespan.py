"""What runs beside the requests for as long as an API process lives."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from control.fleet.cutting_off import CuttingOff
from control.services import Services


def lifespan_of(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Finish in the background what the broker's absence left undone."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        cutting_off = CuttingOff(services.database, services.enrollment, services.clock)
        cutting_off.start()
        try:
            yield
        finally:
            await run_in_threadpool(cutting_off.stop)

    return lifespan
