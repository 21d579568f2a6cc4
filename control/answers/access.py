"""Answers about tokens and the audit log."""

import json

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from control.answers.pages import PageRequest, read_page
from control.database.tables import AuditEntry, EnrollmentToken, Group, OperatorToken
from control.views.access import KnownEnrollmentTokenView, OperatorTokenView
from control.views.audit import AuditEntryView
from control.views.page import Page


def token_view(session: Session, row: OperatorToken) -> OperatorTokenView:
    """A token without itself."""
    names = session.scalars(select(Group.name).where(Group.id.in_(row.group_ids)).order_by(Group.name))
    return OperatorTokenView(
        id=row.id,
        name=row.name,
        role=row.role.value,
        groups=tuple(names),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def list_tokens(session: Session, page: PageRequest) -> Page[OperatorTokenView]:
    """All tokens without themselves, oldest first."""
    rows, cursor = read_page(session, select(OperatorToken), (OperatorToken.created_at, OperatorToken.id), page)
    return Page(items=tuple(token_view(session, row) for (row,) in rows), next_cursor=cursor)


def list_enrollment_tokens(
    session: Session, tokens: Select[EnrollmentToken], page: PageRequest
) -> Page[KnownEnrollmentTokenView]:
    """Tokens to enrol with, without themselves, oldest first."""
    rows, cursor = read_page(session, tokens, (EnrollmentToken.created_at, EnrollmentToken.id), page)
    return Page(items=tuple(enrollment_token_view(session, row) for (row,) in rows), next_cursor=cursor)


def enrollment_token_view(session: Session, row: EnrollmentToken) -> KnownEnrollmentTokenView:
    """A token to enrol with, without itself."""
    group = None if row.group_id is None else session.get_one(Group, row.group_id).name
    return KnownEnrollmentTokenView(
        id=row.id,
        group=group,
        site=row.site,
        uses_left=row.uses_left,
        replaces=row.replaces,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def audit_entries(session: Session, *, after: int, page: PageRequest) -> Page[AuditEntryView]:
    """Entries with a higher sequence number than `after`, oldest first."""
    later = select(AuditEntry).where(AuditEntry.sequence > after)
    rows, cursor = read_page(session, later, (AuditEntry.sequence,), page)
    return Page(items=tuple(_entry_view(row) for (row,) in rows), next_cursor=cursor)


def _entry_view(row: AuditEntry) -> AuditEntryView:
    return AuditEntryView(
        sequence=row.sequence,
        at=row.at,
        actor=row.actor,
        source=row.source,
        action=row.action,
        target=row.target,
        before=json.loads(row.before),
        after=json.loads(row.after),
        seal=row.seal,
    )
