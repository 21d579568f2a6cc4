"""Overload: more requests of devices than the process can take on are told at once to come again, and when.

Otherwise they would wait in line until their devices give up, and be carried out all the same. Operators and the
health check are always let in.
"""

from http import HTTPStatus
from itertools import count
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from contract.error_codes import ErrorCode
from control.api.problems import problem_response
from control.metrics import count_refusal, is_device_path

#: Devices come again between these many seconds later, spread evenly.
_SOONEST_SECONDS: Final = 5
_SPREAD_SECONDS: Final = 30


class OverloadGuard:
    """Answers 503 with Retry-After while `at_once` requests of devices are in progress."""

    def __init__(self, app: ASGIApp, at_once: int) -> None:
        self._app = app
        self._at_once = at_once
        self._in_progress = 0
        self._refused = count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http" or not is_device_path(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._in_progress >= self._at_once:
            await self._refuse(scope, receive, send)
            return
        self._in_progress += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_progress -= 1

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        count_refusal(scope["path"], ErrorCode.API_OVERLOADED)
        response = problem_response(ErrorCode.API_OVERLOADED, HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = str(_SOONEST_SECONDS + next(self._refused) % _SPREAD_SECONDS)
        await response(scope, receive, send)
