"""What routes ask for: the services, a bounded body, the device that signed, the operator's role."""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from contract.http_signatures import SignableRequest
from control.api.idempotency import begin_keyed
from control.database.tables import Role
from control.fleet.known_devices import KnownDevice
from control.security.operator_tokens import find_operator_token
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


BearerDep = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, description="An operator's token."))
]


def requires(role: Role, *, confined: bool = False) -> Any:
    """A dependency that lets operators of this role and higher ones through.

    Args:
        role: The lowest role that may.
        confined: Whether tokens that are confined to groups may, too: the route must then look at `OperatorDep`.
    """
    return Depends(RoleGuard(role, confined=confined))


class RoleGuard:
    """Lets operators through, and keeps who it was for the route.

    Attributes:
        role: The lowest role that may pass.
        confined: Whether tokens that are confined to groups may pass.
    """

    def __init__(self, role: Role, *, confined: bool) -> None:
        self.role = role
        self.confined = confined

    def __call__(self, request: Request, services: ServicesDep, bearer: BearerDep) -> None:
        """Check the token.

        Raises:
            TrustError: There is none, it is not good, or its role or scope does not reach.
            KeptAnswerError: The same request with its idempotency key was carried out before.
        """
        if bearer is None:
            raise TrustError(ErrorCode.TOKEN_REFUSED, detail="expected the header `Authorization: Bearer TOKEN`")
        with services.database.snapshot() as session:
            row = find_operator_token(session, bearer.credentials, services.clock.now())
        if not row.role.includes(self.role):
            detail = f"it has the role {row.role}, this needs {self.role}"
            raise TrustError(ErrorCode.FORBIDDEN, place=request.url.path, detail=detail)
        if row.group_ids and not self.confined:
            detail = "this concerns the whole fleet, and the token is confined to some groups"
            raise TrustError(ErrorCode.FORBIDDEN, place=request.url.path, detail=detail)
        request.state.operator = Operator(
            token_id=row.id,
            name=row.name,
            role=row.role,
            group_ids=frozenset(row.group_ids),
            source=source_of(request),
        )
        begin_keyed(request, services)


async def operator_of(request: Request) -> Operator:
    """The operator that `requires` let through."""
    operator: Operator = request.state.operator
    return operator


OperatorDep = Annotated[Operator, Depends(operator_of)]
