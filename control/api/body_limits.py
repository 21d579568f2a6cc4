"""Bodies are bounded in size and time before anything of them is parsed, whoever sends them."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.uplink import MAX_BODY_BYTES

#: Packages go to a file, piece by piece, and have a limit of their own.
UPLOAD_PATH: Final = "/v1/packages"
#: The desired state of a whole fleet comes at once.
CHANGES_PATH: Final = "/v1/changes"
#: Some 100,000 documents.
MAX_CHANGES_BYTES: Final = 16 * 1024 * 1024
#: A whole body must be here within this time; an upload, each piece of it.
MAX_BODY_SECONDS: Final = 30.0


class BodyLimits:
    """Refuses bodies that are too large with 413, and those that come too slowly with 408."""

    def __init__(self, app: ASGIApp, max_seconds: float = MAX_BODY_SECONDS) -> None:
        self._app = app
        self._max_seconds = max_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            receive = _Bounded(receive, self._max_seconds, max_bytes=_max_bytes(scope["path"]))
        await self._app(scope, receive, send)


def _max_bytes(path: str) -> int | None:
    """How large a body may be; None for one that its route bounds."""
    if path == UPLOAD_PATH:
        return None
    return MAX_CHANGES_BYTES if path == CHANGES_PATH else MAX_BODY_BYTES


class _Bounded:
    def __init__(self, receive: Receive, max_seconds: float, *, max_bytes: int | None) -> None:
        self._receive = receive
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes
        self._size = 0
        self._deadline = asyncio.get_running_loop().time() + max_seconds
        self._is_whole = False

    async def __call__(self) -> Message:
        if self._is_whole:
            # From here on the server only tells when the client has gone.
            return await self._receive()
        message = await self._next()
        self._size += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._max_bytes is not None and self._size > self._max_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body of more than {self._max_bytes} bytes")
        return message

    async def _next(self) -> Message:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._max_seconds if self._max_bytes is None else self._deadline
        try:
            async with asyncio.timeout_at(deadline):
                return await self._receive()
        except TimeoutError:
            detail = f"the body was not here after {self._max_seconds:g} s"
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail) from None
