"""Errors as problem+json (RFC 9457), all of them, with the error table's words."""

from http import HTTPStatus
from math import ceil
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from structlog import get_logger

from contract.error_codes import ErrorCode
from contract.errors import (
    ClockSkewedError,
    InputError,
    NotFoundError,
    OutriderError,
    PackageError,
    RateLimitedError,
    StoreError,
    TrustError,
    UnavailableError,
)
from contract.http_signatures import TIME_HEADER
from contract.uplink import Problem
from control.api.entity_tags import NotModifiedError
from control.api.idempotency import KeptAnswerError, answered_before
from control.metrics import count_refusal, is_device_path

MEDIA_TYPE = "application/problem+json"

#: How the API's description shows that any route may answer with a problem.
PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"description": words, "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
    for status, words in (("default", "What went wrong."), (422, "What is wrong with the request."))
}

_log = get_logger(__name__)

_BY_CODE = {
    ErrorCode.SIGNATURE_REFUSED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.TOKEN_REFUSED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.CLOCK_SKEWED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.REQUEST_REPLAYED: HTTPStatus.UNAUTHORIZED,
    ErrorCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    ErrorCode.NAME_TAKEN: HTTPStatus.CONFLICT,
    ErrorCode.STILL_IN_USE: HTTPStatus.CONFLICT,
    ErrorCode.GROUP_DYNAMIC: HTTPStatus.CONFLICT,
    ErrorCode.GROUP_STATIC: HTTPStatus.CONFLICT,
    ErrorCode.JOB_ENDED: HTTPStatus.CONFLICT,
    ErrorCode.JOB_UNDER_WAY: HTTPStatus.CONFLICT,
    ErrorCode.JOB_REPLACED: HTTPStatus.CONFLICT,
    ErrorCode.ROLLOUT_ACTIVE: HTTPStatus.CONFLICT,
    ErrorCode.ROLLOUT_STATE_WRONG: HTTPStatus.CONFLICT,
    ErrorCode.SECRET_IN_USE: HTTPStatus.CONFLICT,
    ErrorCode.PRECONDITION_FAILED: HTTPStatus.PRECONDITION_FAILED,
    ErrorCode.IDEMPOTENCY_KEY_BUSY: HTTPStatus.CONFLICT,
    ErrorCode.PACKAGE_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
#: What the framework itself refuses, where one of our errors says the same.
_BY_HTTP_STATUS = {
    HTTPStatus.NOT_FOUND: ErrorCode.UNKNOWN_ROUTE,
    HTTPStatus.METHOD_NOT_ALLOWED: ErrorCode.UNKNOWN_ROUTE,
    HTTPStatus.REQUEST_TIMEOUT: ErrorCode.REQUEST_TOO_SLOW,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.REQUEST_TOO_LARGE,
}
_REFUSED_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
_BY_KIND: tuple[tuple[type[OutriderError], HTTPStatus], ...] = (
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (InputError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TrustError, HTTPStatus.FORBIDDEN),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (StoreError, HTTPStatus.BAD_GATEWAY),
)


def install_problem_handlers(app: FastAPI) -> None:
    """Have every error of the app answered as a problem."""
    app.add_exception_handler(OutriderError, _outrider_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(NotModifiedError, _not_modified)
    app.add_exception_handler(KeptAnswerError, answered_before)
    app.add_exception_handler(Exception, _unexpected)


def status_of(error: OutriderError) -> HTTPStatus:
    """The HTTP status of an error."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((status for kind, status in _BY_KIND if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem_response(code: ErrorCode, status: int, *, detail: str = "", place: str = "") -> Response:
    """A problem as a response."""
    problem = Problem(
        title=code.sentence,
        status=status,
        code=code.slug,
        detail=detail,
        place=place,
        hint=code.hint,
        retry_helps=code.retry_helps,
    )
    return Response(problem.model_dump_json(), status_code=status, media_type=MEDIA_TYPE)


def _outrider_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, OutriderError):
        raise error
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request failed", path=request.url.path, code=error.code.slug, detail=error.detail)
    if _is_refusal(request, error):
        count_refusal(request.url.path, error.code)
    response = problem_response(error.code, status, detail=error.detail, place=error.place)
    response.headers.update(_headers(error))
    return response


def _is_refusal(request: Request, error: OutriderError) -> bool:
    """Whether to count it: operators mistype; what devices and packages get wrong nobody typed."""
    if is_device_path(request.url.path) and isinstance(error, InputError):
        return True
    return isinstance(error, TrustError | RateLimitedError | PackageError) or error.code is ErrorCode.PACKAGE_TOO_LARGE


def _headers(error: OutriderError) -> dict[str, str]:
    match error:
        case RateLimitedError():
            return {"Retry-After": str(ceil(error.retry_after_seconds))}
        case ClockSkewedError():
            return {TIME_HEADER: error.server_time.isoformat()}
        case _:
            return {}


def _validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    if is_device_path(request.url.path):
        count_refusal(request.url.path, ErrorCode.DOCUMENT_INVALID)
    problems = [(_place(entry["loc"]), str(entry["msg"])) for entry in error.errors()]
    place, first = problems[0]
    detail = "; ".join([first, *(f"{where}: {what}" for where, what in problems[1:])])
    return problem_response(ErrorCode.DOCUMENT_INVALID, HTTPStatus.UNPROCESSABLE_ENTITY, detail=detail, place=place)


def _place(location: Any) -> str:
    return ".".join(str(part) for part in location if part != "body") or "body"


def _http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    code = _BY_HTTP_STATUS.get(status, ErrorCode.DOCUMENT_INVALID)
    if status in _REFUSED_STATUSES:
        count_refusal(request.url.path, code)
    place = f"{request.method} {request.url.path}"
    response = problem_response(code, error.status_code, detail=str(error.detail), place=place)
    response.headers.update(error.headers or {})
    return response


def _not_modified(_request: Request, error: Exception) -> Response:
    if not isinstance(error, NotModifiedError):
        raise error
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": error.tag})


def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("request failed", path=request.url.path, exc_info=error)
    return problem_response(ErrorCode.API_ERROR, HTTPStatus.INTERNAL_SERVER_ERROR)
