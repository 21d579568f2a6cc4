"""What routes ask for: the services, a bounded body, the device that signed, the operator."""

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


async def signed_by(request: Request, body: BodyDep, services: ServicesDep) -> KnownDevice:
    """The device that signed the request.

    Raises:
        TrustError: No enrolled device did, or the request was here already.
        RateLimitedError: The device sends too many.
    """
    signable = SignableRequest(method=request.method, url=str(request.url), headers=dict(request.headers))
    return await services.gate.admit(signable, body)


DeviceDep = Annotated[KnownDevice, Depends(signed_by)]


async def operator_of(request: Request) -> Operator:
    """The operator that the route's guard let through."""
    operator: Operator = request.state.operator
    return operator


OperatorDep = Annotated[Operator, Depends(operator_of)]
