"""Answers about tokens and the audit log."""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.database.tables import AuditEntry, Group, OperatorToken
from control.views.access import OperatorTokenView
from control.views.audit import AuditEntryView


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


def audit_entries(session: Session, *, after: int, limit: int) -> list[AuditEntryView]:
    """Entries with a higher sequence number than `after`, oldest first."""
    rows = select(AuditEntry).where(AuditEntry.sequence > after).order_by(AuditEntry.sequence).limit(limit)
    return [
        AuditEntryView(
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
        for row in session.scalars(rows)
    ]
