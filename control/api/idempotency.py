"""`Idempotency-Key`: a POST of an operator that is sent again with the same key is answered, not carried out, again."""

from http import HTTPStatus
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.api.body_limits import UPLOAD_PATH
from control.idempotency.keeping import begin, give_up, keep
from control.idempotency.keyed_request import Answer, KeyedRequest
from control.metrics import is_device_path
from control.services import Services

HEADER: Final = "idempotency-key"
#: Says that an answer was given before.
REPLAYED_HEADER: Final = "Idempotency-Replayed"
_MAX_KEY_LENGTH: Final = 200
#: Where the state of a request has what `begin_keyed` has let in.
_BEGUN: Final = "keyed_request"


class KeptAnswerError(Exception):
    """The request was carried out before; not an error but the shortest way out of a route."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class Idempotency:
    """Keeps what is answered to requests with a key that `begin_keyed` has let in."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if _key(scope) is None:
            await self._app(scope, receive, send)
            return
        state, recorder = scope.setdefault("state", {}), _Recorder(send)
        try:
            await self._app(scope, receive, recorder)
        finally:
            if _BEGUN in state:
                await run_in_threadpool(self._conclude, state[_BEGUN], recorder.answer)

    def _conclude(self, request: KeyedRequest, answer: Answer | None) -> None:
        if answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            give_up(self._services.database, request)
        else:
            keep(self._services.database, request, answer)


async def begin_keyed(request: Request, services: Services) -> None:
    """Let a request with a key in if it is the first of its kind; call it once the operator is known to be allowed.

    Raises:
        KeptAnswerError: It was carried out before.
        InputError: The key belongs to another request, or is no key.
    """
    key = _key(request.scope)
    if key is None:
        return
    if not 1 <= len(key) <= _MAX_KEY_LENGTH:
        detail = f"expected 1 to {_MAX_KEY_LENGTH} characters"
        raise InputError(ErrorCode.DOCUMENT_INVALID, place="Idempotency-Key", detail=detail)
    keyed = _keyed(request.scope, key, await request.body())
    answer = await run_in_threadpool(begin, services.database, keyed, services.clock.now())
    if answer is not None:
        raise KeptAnswerError(answer)
    request.scope["state"][_BEGUN] = keyed


def answered_before(_request: Request, error: Exception) -> Response:
    """The answer that was given before."""
    if not isinstance(error, KeptAnswerError):
        raise error
    answer = error.answer
    return Response(answer.body, answer.status, {REPLAYED_HEADER: "true"}, answer.media_type)


def _key(scope: Scope) -> bytes | None:
    if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] == UPLOAD_PATH:
        return None
    key = Headers(scope=scope).get(HEADER)
    return None if key is None or is_device_path(scope["path"]) else key.encode("latin-1")


def _keyed(scope: Scope, key: bytes, body: bytes) -> KeyedRequest:
    target = scope["path"].encode() + b"?" + scope.get("query_string", b"")
    authorization = Headers(scope=scope).get("authorization", "").encode("latin-1")
    return KeyedRequest(authorization, key, b"\0".join((b"POST", target, body)))


class _Recorder:
    """Passes an answer on and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""
        self._is_whole = False

    @property
    def answer(self) -> Answer | None:
        """The answer once it is whole."""
        if self._start is None or not self._is_whole:
            return None
        media_type = Headers(raw=self._start["headers"]).get("content-type", "application/json")
        return Answer(self._start["status"], media_type, self._body)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            self._is_whole = not message.get("more_body", False)
        await self._send(message)
