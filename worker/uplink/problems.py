"""The control plane's refusals as errors of the one family."""

from http import HTTPStatus

import httpx

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, OutriderError, TrustError, UnavailableError
from contract.uplink import Problem

_TRUST_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LATER_STATUSES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT})


def unavailable(request: httpx.Request, error: httpx.HTTPError) -> UnavailableError:
    """The error of a request that got no answer."""
    detail = f"{type(error).__name__}: {error}".removesuffix(": ")
    return UnavailableError(ErrorCode.API_UNAVAILABLE, detail=detail, place=_place(request))


def refusal(response: httpx.Response) -> OutriderError:
    """The error of an answer that is none."""
    place = _place(response.request)
    status = response.status_code
    if status in _LATER_STATUSES or response.is_server_error:
        return UnavailableError(ErrorCode.API_UNAVAILABLE, detail=f"HTTP {status}", place=place)
    code, detail = _reason(response)
    if status in _TRUST_STATUSES:
        return TrustError(code or ErrorCode.SIGNATURE_REFUSED, detail=detail, place=place)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return NotFoundError(code or ErrorCode.API_ERROR, detail=detail, place=place)
    return OutriderError(code or ErrorCode.API_ERROR, detail=detail, place=place)


def _reason(response: httpx.Response) -> tuple[ErrorCode | None, str]:
    try:
        problem = Problem.model_validate_json(response.content)
        return ErrorCode.from_slug(problem.code), problem.detail
    except (ValueError, KeyError):
        return None, f"HTTP {response.status_code}"


def _place(request: httpx.Request) -> str:
    return f"{request.method} {request.url.copy_with(query=None)}"
