"""The error that a refusing answer stands for."""

import httpx
from pydantic import ValidationError

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError, OutriderError, TrustError, UnavailableError
from contract.uplink import Problem

_UNAUTHORIZED = frozenset({401, 403})
_NOT_FOUND = 404
_LATER = frozenset({408, 429, 502, 503, 504})
_SERVER_ERROR = 500


def refusal(response: httpx.Response) -> OutriderError:
    """The error that an answer stands for."""
    status = response.status_code
    try:
        problem = Problem.model_validate_json(response.content)
        code = ErrorCode.from_slug(problem.code)
    except (ValidationError, KeyError):
        detail = f"HTTP {status} without a problem that this side knows"
        return _kind(status)(ErrorCode.API_ERROR, place=str(response.url), detail=detail)
    return _kind(status)(code, detail=problem.detail, place=problem.place)


def _kind(status: int) -> type[OutriderError]:
    if status in _UNAUTHORIZED:
        return TrustError
    if status == _NOT_FOUND:
        return NotFoundError
    if status in _LATER:
        return UnavailableError
    return OutriderError if status >= _SERVER_ERROR else InputError
