"""What routes ask for: the services, a bounded body, the device that signed, the operator's role."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.http_signatures import SignableRequest
from control.database.tables import Device, Role
from control.security.operator_tokens import find_operator_token
from control.services import Services


def services_of(request: Request) -> Services:
    """The services the app was made with."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]


async def raw_body(request: Request) -> bytes:
    """The request's body as it came; `BodyLimits` bounds it."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(raw_body)]


def signed_by(request: Request, body: BodyDep, services: ServicesDep) -> Device:
    """The device that signed the request.

    Raises:
        TrustError: No enrolled device did, or the request was here already.
        RateLimitedError: The device sends too many.
    """
    signable = SignableRequest(method=request.method, url=str(request.url), headers=dict(request.headers))
    with services.database.snapshot() as session:
        return services.gate.admit(session, signable, body)


DeviceDep = Annotated[Device, Depends(signed_by)]


BearerDep = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, description="An operator's token."))
]


def requires(role: Role) -> Any:
    """A dependency that lets operators of this role and higher ones through."""
    return Depends(_guard(role))


def _guard(role: Role) -> Callable[..., None]:
    def check(request: Request, services: ServicesDep, bearer: BearerDep) -> None:
        if bearer is None:
            raise TrustError(ErrorCode.TOKEN_REFUSED, detail="expected the header `Authorization: Bearer TOKEN`")
        with services.database.snapshot() as session:
            row = find_operator_token(session, bearer.credentials, services.clock.now())
        if not row.role.includes(role):
            detail = f"it has the role {row.role}, this needs {role}"
            raise TrustError(ErrorCode.FORBIDDEN, place=request.url.path, detail=detail)

    return check
