"""The operators' side: who asks, tokens, and the log of what was changed."""

from datetime import timedelta
from typing import Annotated

from fastapi import Query, status

from control.answers.access import audit_entries, list_tokens, token_view
from control.api.dependencies import OperatorDep, ServicesDep
from control.api.entity_tags import TagDep
from control.api.guarded_route import guarded_router, requires
from control.api.pages import PageDep
from control.database.session import lock_planning
from control.database.tables import OperatorToken, Role
from control.fleet.groups import find_group
from control.security.operator_tokens import create_operator_token, operator_token, revoke_operator_token
from control.views.access import NewOperatorTokenView, OperatorTokenRequest, OperatorTokenView
from control.views.audit import AuditEntryView, AuditVerdictView
from control.views.page import Page

router = guarded_router("access")

_MAX_SEQUENCE = 2**63 - 1


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
        lock_planning(session)
        group_ids = [find_group(session, name).id for name in body.groups]
        token, row = create_operator_token(
            session, name=body.name, role=body.role, lifetime=lifetime, now=now, group_ids=group_ids
        )
        view = token_view(session, row)
        services.audit.record(session, operator, "token.create", row.id, now=now, after=view.model_dump(mode="json"))
    return NewOperatorTokenView(token=token, **view.model_dump())


@router.get("/tokens", dependencies=[requires(Role.ADMIN)])
def tokens(services: ServicesDep, page: PageDep) -> Page[OperatorTokenView]:
    """All tokens, without themselves."""
    with services.database.snapshot() as session:
        return list_tokens(session, page)


@router.get("/tokens/{token_id}", dependencies=[requires(Role.ADMIN)])
def one_token(token_id: str, services: ServicesDep, tag: TagDep) -> OperatorTokenView:
    """One token, without itself."""
    with services.database.snapshot() as session:
        return tag.on(token_view(session, operator_token(session, token_id)))


@router.delete("/tokens/{token_id}", dependencies=[requires(Role.ADMIN)])
def revoke_token(token_id: str, services: ServicesDep, operator: OperatorDep, tag: TagDep) -> OperatorTokenView:
    """Make a token void at once; again is fine."""
    now = services.clock.now()
    with services.database.transaction() as session:
        row = operator_token(session, token_id)
        tag.require(token_view(session, row))
        revoke_operator_token(session, row, now)
        view = token_view(session, row)
        services.audit.record(session, operator, "token.revoke", row.id, now=now, before={"name": row.name})
    return view


@router.get("/audit", dependencies=[requires(Role.ADMIN)])
def audit(
    services: ServicesDep,
    page: PageDep,
    after: Annotated[int, Query(ge=0, le=_MAX_SEQUENCE, description="Only entries with a higher number.")] = 0,
) -> Page[AuditEntryView]:
    """What was changed, oldest first."""
    with services.database.snapshot() as session:
        return audit_entries(session, after=after, page=page)


@router.get("/audit/verdict", dependencies=[requires(Role.ADMIN)])
def audit_verdict(services: ServicesDep) -> AuditVerdictView:
    """Whether every entry of the log is there and as it was written."""
    with services.database.snapshot() as session:
        return AuditVerdictView.model_validate(services.audit.verify(session))
