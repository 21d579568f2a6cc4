"""Routes that look at the operator's token before they read anything of the body.

FastAPI reads and parses a body before it asks dependencies; whoever has no token would have it parse 16 MiB of JSON.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from contract.error_codes import ErrorCode
from contract.errors import TrustError
from control.api.dependencies import services_of, source_of
from control.api.idempotency import begin_keyed
from control.database.tables import Role
from control.security.operator_tokens import find_operator_token
from control.security.operators import Operator
from control.services import Services

_BEARER = HTTPBearer(auto_error=False, description="An operator's token.")


class RoleGuard:
    """Lets operators through, and keeps who it was for the route.

    Attributes:
        role: The lowest role that may pass.
        confined: Whether tokens that are confined to groups may pass.
    """

    def __init__(self, role: Role, *, confined: bool) -> None:
        self.role = role
        self.confined = confined

    async def __call__(self, request: Request, _bearer: HTTPAuthorizationCredentials | None = Depends(_BEARER)) -> None:
        """Let pass what `admit` has let pass; as a dependency it tells the API's description what is asked for."""
        if not hasattr(request.state, "operator"):
            raise TypeError(f"the router of {request.url.path} is no `guarded_router`")

    async def admit(self, request: Request) -> None:
        """Check the token.

        Raises:
            TrustError: There is none, it is not good, or its role or scope does not reach.
            KeptAnswerError: The same request with its idempotency key was carried out before.
        """
        bearer = await _BEARER(request)
        if bearer is None:
            raise TrustError(ErrorCode.TOKEN_REFUSED, detail="expected the header `Authorization: Bearer TOKEN`")
        services = services_of(request)
        request.state.operator = await run_in_threadpool(self._operator, request, services, bearer.credentials)
        await begin_keyed(request, services)

    def _operator(self, request: Request, services: Services, token: str) -> Operator:
        with services.database.snapshot() as session:
            row = find_operator_token(session, token, services.clock.now())
        if not row.role.includes(self.role):
            detail = f"it has the role {row.role}, this needs {self.role}"
            raise TrustError(ErrorCode.FORBIDDEN, place=request.url.path, detail=detail)
        if row.group_ids and not self.confined:
            detail = "this concerns the whole fleet, and the token is confined to some groups"
            raise TrustError(ErrorCode.FORBIDDEN, place=request.url.path, detail=detail)
        return Operator(
            token_id=row.id,
            name=row.name,
            role=row.role,
            group_ids=frozenset(row.group_ids),
            source=source_of(request),
        )


class GuardedRoute(APIRoute):
    """A route whose `requires(...)` is asked first of all."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What serves a request: the guard, then everything else."""
        handle = super().get_route_handler()
        guards = [one.dependency for one in self.dependencies if isinstance(one.dependency, RoleGuard)]

        async def handle_guarded(request: Request) -> Response:
            for guard in guards:
                await guard.admit(request)
            return await handle(request)

        return handle_guarded


def guarded_router(tag: str, prefix: str = "/v1") -> APIRouter:
    """A router for operators: each of its routes says with `requires` who may pass."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=GuardedRoute)


def requires(role: Role, *, confined: bool = False) -> Any:
    """A dependency that lets operators of this role and higher ones through.

    Args:
        role: The lowest role that may.
        confined: Whether tokens that are confined to groups may, too: the route must then look at `OperatorDep`.
    """
    return Depends(RoleGuard(role, confined=confined))
