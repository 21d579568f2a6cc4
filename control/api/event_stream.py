"""A response of server-sent events (WHATWG HTML, 9.2): cut where its reader does not keep up."""

import asyncio
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Message, Send
from structlog import get_logger

_log = get_logger(__name__)

#: A reader that takes nothing for so long is not there any more.
_PATIENCE_SECONDS: Final = 30.0


class EventStream(StreamingResponse):
    """Events, one after the other."""

    media_type = "text/event-stream"

    async def stream_response(self, send: Send) -> None:
        """Send them; nothing piles up for a reader that is slow."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await send(message)

        try:
            await super().stream_response(send_in_time)
        except TimeoutError:
            _log.info("a reader of events did not keep up")


def event(name: str, cursor: str, data: str) -> str:
    """One event; `data` is JSON in one line."""
    return f"id: {cursor}\nevent: {name}\ndata: {data}\n\n"


def sign_of_life() -> str:
    """What says that the stream is there, and nothing else."""
    return ": still here\n\n"
