"""The operators' side: jobs as they change, from where the reader left off."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Annotated, Final

from fastapi import Header, Request
from starlette.concurrency import run_in_threadpool

from contract.error_codes import ErrorCode
from contract.errors import OutriderError, UnavailableError
from control.answers.job_events import READ_JOBS, changed_jobs, newest_change
from control.answers.job_filter import JobFilter
from control.answers.moment import this_moment
from control.api.dependencies import ServicesDep
from control.api.event_stream import EventStream, event, sign_of_life
from control.api.guarded_route import guarded_router, requires
from control.api.job_query import JobFilterDep
from control.database.tables import Role
from control.services import Services
from control.views.jobs import JobView

router = guarded_router("status")

#: Streams that one process serves.
MOST_STREAMS: Final = 100
#: From one look into the database to the next.
_INTERVAL_SECONDS: Final = 1.0
#: Looks without a change after which the stream shows that it is there.
_SILENT_LOOKS: Final = 15
#: Looks after which the stream ends, and its reader comes again with a token that is still good.
_LOOKS: Final = 300

_MAX_CURSOR_LENGTH: Final = 400

LastEvent = Annotated[
    str | None, Header(max_length=_MAX_CURSOR_LENGTH, description="The id of the last event that was read.")
]


@router.get("/events", dependencies=[requires(Role.VIEWER, confined=True)], response_class=EventStream)
def events(
    request: Request, services: ServicesDep, wanted: JobFilterDep, last_event_id: LastEvent = None
) -> EventStream:
    """Each job whenever something about it changes, as server-sent events `job`; it ends after some minutes.

    A reader that comes again with `Last-Event-ID` misses nothing; one without begins with what changes from now on.
    """
    with services.database.snapshot() as session:
        cursor = last_event_id or newest_change(session)
        # What is wrong with the question is said before the stream begins.
        first = changed_jobs(session, wanted, this_moment(services), cursor)
    streams: Streams = request.app.state.streams
    return EventStream(streams.follow(services, wanted, cursor, first), headers={"Cache-Control": "no-store"})


class Streams:
    """The streams of one process."""

    def __init__(self) -> None:
        self._open = 0

    def follow(
        self, services: Services, wanted: JobFilter, cursor: str, first: list[tuple[str, JobView]]
    ) -> AsyncIterator[str]:
        """The stream of one reader.

        Raises:
            UnavailableError: There are too many already.
        """
        if self._open >= MOST_STREAMS:
            raise UnavailableError(ErrorCode.API_OVERLOADED, detail=f"{MOST_STREAMS} streams of events are open")
        return self._counted(_changes(services, wanted, cursor, first))

    async def _counted(self, stream: AsyncIterator[str]) -> AsyncIterator[str]:
        self._open += 1
        try:
            async for text in stream:
                yield text
        finally:
            self._open -= 1


async def _changes(
    services: Services, wanted: JobFilter, cursor: str, found: list[tuple[str, JobView]]
) -> AsyncIterator[str]:
    silent = count()
    yield sign_of_life()
    for _ in range(_LOOKS):
        for position, job in found:
            cursor, silent = position, count()
            yield event("job", cursor, job.model_dump_json())
        if next(silent) >= _SILENT_LOOKS:
            silent = count()
            yield sign_of_life()
        if len(found) < READ_JOBS:
            await asyncio.sleep(_INTERVAL_SECONDS)
        try:
            found = await run_in_threadpool(_look, services, wanted, cursor)
        except OutriderError:
            # The reader comes again, and is told then.
            return


def _look(services: Services, wanted: JobFilter, cursor: str) -> list[tuple[str, JobView]]:
    with services.database.snapshot() as session:
        return changed_jobs(session, wanted, this_moment(services), cursor)
