"""Tokens of operators."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from control.database.tables import OperatorToken, Role
from control.security.tokens import new_token, token_hash


def create_operator_token(
    session: Session, *, name: str, role: Role, lifetime: timedelta | None, now: datetime
) -> tuple[str, OperatorToken]:
    """Make a token; only its hash is kept, so this is the only time it can be shown."""
    token = new_token()
    row = OperatorToken(
        token_hash=token_hash(token),
        name=name,
        role=role,
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    session.add(row)
    session.flush()
    return token, row
