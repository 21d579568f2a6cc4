"""Requests as a device signs them, as it should not, and what became of them."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
from fastapi import Request

from contract.http_signatures import SignableRequest, sign_request
from contract.uplink import REPORTS_PATH, Problem
from control.api.guarded_route import RoleGuard
from control.database.tables import Role
from control.metrics import REFUSED
from control.security.operators import Operator
from tests.control.plane import SignedDevice

Enrolled = Callable[..., SignedDevice]
Headers = Callable[[Role], dict[str, str]]


def refused(reason: str) -> float:
    """How many requests of devices were refused for this reason so far."""
    return float(REFUSED.labels(side="device", reason=reason)._value.get())


def code(response: httpx.Response) -> str:
    return Problem.model_validate_json(response.content).code


def recorded(device: SignedDevice, path: str = REPORTS_PATH, body: bytes = b"{}", **changes: object) -> httpx.Request:
    """A signed request as somebody on the way could keep it."""
    request = device.client.build_request("POST", path, content=body)
    fields = {"key": device.signer, "key_id": device.device_id, "now": datetime.now(UTC), **changes}
    sign_request(SignableRequest("POST", str(request.url), request.headers), body, **fields)  # type: ignore[arg-type]
    return request


def no_guard(operator: Operator | None) -> Callable[..., Awaitable[None]]:
    """A guard that lets everybody in, as this operator."""

    async def admit(_guard: RoleGuard, request: Request) -> None:
        request.state.operator = operator

    return admit


def enrolled_id(request: httpx.Request) -> str:
    """The device's id, as the signature names it."""
    match = re.search('keyid="([^"]+)"', request.headers["Signature-Input"])
    assert match is not None
    return match[1]
