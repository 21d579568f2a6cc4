"""The control plane's refusals as errors of the one family."""

from datetime import datetime
from http import HTTPStatus

import httpx

from contract.error_codes import ErrorCode
from contract.errors import (
    ClockSkewedError,
    NotFoundError,
    OutriderError,
    RateLimitedError,
    TrustError,
    UnavailableError,
)
from contract.http_signatures import TIME_HEADER
from contract.uplink import Problem

_TRUST_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LATER_STATUSES = frozenset({HTTPStatus.REQUEST_TIMEOUT})
#: Where an answer asks for a pause without saying how long, or in a form that is not seconds; and the longest one.
_USUAL_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 3600.0


def unavailable(request: httpx.Request, error: httpx.HTTPError) -> UnavailableError:
    """The error of a request that got no answer."""
    detail = f"{type(error).__name__}: {error}".removesuffix(": ")
    return UnavailableError(ErrorCode.API_UNAVAILABLE, detail=detail, place=_place(request))


def refusal(response: httpx.Response) -> OutriderError:
    """The error of an answer that is none."""
    place = _place(response.request)
    status = response.status_code
    asks_for_pause = status == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in response.headers
    if status == HTTPStatus.TOO_MANY_REQUESTS or asks_for_pause:
        return RateLimitedError(_retry_after(response), detail=f"HTTP {status}", place=place)
    if status in _LATER_STATUSES or response.is_server_error:
        return UnavailableError(ErrorCode.API_UNAVAILABLE, detail=f"HTTP {status}", place=place)
    code, detail = _reason(response)
    if code is ErrorCode.CLOCK_SKEWED:
        skewed = _clock_skewed(response, detail, place)
        if skewed is not None:
            return skewed
    if status in _TRUST_STATUSES:
        return TrustError(code or ErrorCode.SIGNATURE_REFUSED, detail=detail, place=place)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFoundError(code or ErrorCode.API_ERROR, detail=detail, place=place)
    return OutriderError(code or ErrorCode.API_ERROR, detail=detail, place=place)


def _clock_skewed(response: httpx.Response, detail: str, place: str) -> ClockSkewedError | None:
    try:
        server_time = datetime.fromisoformat(response.headers.get(TIME_HEADER, ""))
    except ValueError:
        return None
    return None if server_time.tzinfo is None else ClockSkewedError(server_time, detail=detail, place=place)


def _retry_after(response: httpx.Response) -> float:
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return _USUAL_PAUSE_SECONDS
    return min(max(seconds, 0.0), _LONGEST_PAUSE_SECONDS)


def _reason(response: httpx.Response) -> tuple[ErrorCode | None, str]:
    try:
        problem = Problem.model_validate_json(response.content)
        return ErrorCode.from_slug(problem.code), problem.detail
    except (ValueError, KeyError):
        return None, f"HTTP {response.status_code}"


def _place(request: httpx.Request) -> str:
    return f"{request.method} {request.url.copy_with(query=None)}"
