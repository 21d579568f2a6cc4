"""The operators' side: who asks, tokens, and the log of what was changed."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, status
from sqlalchemy import select

from control.answers.access import audit_entries, token_view
from control.api.dependencies import OperatorDep, ServicesDep, requires
from control.database.tables import OperatorToken, Role
from control.fleet.groups import find_group
from control.security.operator_tokens import create_operator_token, revoke_operator_token
from control.views.access import NewOperatorTokenView, OperatorTokenRequest, OperatorTokenView
from control.views.audit import AuditEntryView, AuditVerdictView

router = APIRouter(prefix="/v1", tags=["access"])

_SHOWN_ENTRIES = 1000


@router.get("/me", dependencies=[requires(Role.VIEWER, confined=True)])
def me(services: ServicesDep, operator: OperatorDep) -> OperatorTokenView:
    """The token that asks."""
    with services.database.snapshot() as session:
        return token_view(session, session.get_one(OperatorToken, operator.token_id))


@router.post("/tokens", dependencies=[requires(Role.ADMIN)], status_code=status.HTTP_201_CREATED)
def make_token(body: OperatorTokenRequest, services: ServicesDep, operator: OperatorDep) -> NewOperatorTokenView:
    """Make an operator's token; it is shown this once."""
    now = services.clock.now()
    lifetime = None if body.lifetime_seconds is None else timedelta(seconds=body.lifetime_seconds)
    with services.database.transaction() as session:
        group_ids = [find_group(session, name).id for name in body.groups]
        token, row = create_operator_token(
            session, name=body.name, role=body.role, lifetime=lifetime, now=now, group_ids=group_ids
        )
        view = token_view(session, row)
        services.audit.record(session, operator, "token.create", row.id, now=now, after=view.model_dump(mode="json"))
    return NewOperatorTokenView(token=token, **view.model_dump())


@router.get("/tokens", dependencies=[requires(Role.ADMIN)])
def tokens(services: ServicesDep) -> list[OperatorTokenView]:
    """All tokens, without themselves."""
    with services.database.snapshot() as session:
        rows = session.scalars(select(OperatorToken).order_by(OperatorToken.created_at, OperatorToken.id))
        return [token_view(session, row) for row in rows]


@router.delete("/tokens/{token_id}", dependencies=[requires(Role.ADMIN)])
def revoke_token(token_id: str, services: ServicesDep, operator: OperatorDep) -> OperatorTokenView:
    """Make a token void at once; again is fine."""
    now = services.clock.now()
    with services.database.transaction() as session:
        row = revoke_operator_token(session, token_id, now)
        view = token_view(session, row)
        services.audit.record(session, operator, "token.revoke", row.id, now=now, before={"name": row.name})
    return view


@router.get("/audit", dependencies=[requires(Role.ADMIN)])
def audit(
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, description="Only entries with a higher sequence number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_SHOWN_ENTRIES)] = _SHOWN_ENTRIES,
) -> list[AuditEntryView]:
    """What was changed, oldest first."""
    with services.database.snapshot() as session:
        return audit_entries(session, after=after, limit=limit)


@router.get("/audit/verdict", dependencies=[requires(Role.ADMIN)])
def audit_verdict(services: ServicesDep) -> AuditVerdictView:
    """Whether every entry of the log is there and as it was written."""
    with services.database.snapshot() as session:
        return AuditVerdictView.model_validate(services.audit.verify(session))
