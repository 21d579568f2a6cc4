"""What routes ask for: the services, a bounded body, a device's signed request, the operator."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from contract.http_signatures import SignableRequest
from control.fleet.known_devices import KnownDevice
from control.security.operators import Operator
from control.services import Services


def services_of(request: Request) -> Services:
    """The services the app was made with."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    # A dependency that is no coroutine would be called in another thread, which costs more than it does.
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_services)]


async def raw_body(request: Request) -> bytes:
    """The request's body as it came; `BodyLimits` bounds it."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(raw_body)]


def source_of(request: Request) -> str:
    """The address the request came from."""
    return "" if request.client is None else request.client.host


async def _source(request: Request) -> str:
    return source_of(request)


SourceDep = Annotated[str, Depends(_source)]


@dataclass(frozen=True)
class DeviceRequest:
    """A device's request that was let in, with all that its route needs.

    It is one dependency, for FastAPI takes 0.1 ms to solve the three that it could be.

    Attributes:
        device: Who signed it.
        body: As it came; `BodyLimits` bounds it.
        services: The services the app was made with.
        request: The request itself.
    """

    device: KnownDevice
    body: bytes
    services: Services
    request: Request


async def signed(request: Request) -> DeviceRequest:
    """The request, and the device that signed it.

    Raises:
        TrustError: No enrolled device did, or the request was here already.
        RateLimitedError: The device sends too many.
    """
    services, body = services_of(request), await request.body()
    signable = SignableRequest(method=request.method, url=str(request.url), headers=dict(request.headers))
    return DeviceRequest(await services.gate.admit(signable, body), body, services, request)


SignedDep = Annotated[DeviceRequest, Depends(signed)]


async def operator_of(request: Request) -> Operator:
    """The operator that the route's guard let through."""
    operator: Operator = request.state.operator
    return operator


OperatorDep = Annotated[Operator, Depends(operator_of)]
