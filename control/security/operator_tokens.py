"""Tokens of operators."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, TrustError
from control.database.tables import OperatorToken, Role
from control.security.tokens import new_token, token_hash


def find_operator_token(session: Session, token: str, now: datetime) -> OperatorToken:
    """The row of a token that may be used now.

    Raises:
        TrustError: It is unknown, expired or revoked.
    """
    row = session.scalar(select(OperatorToken).where(OperatorToken.token_hash == token_hash(token)))
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise TrustError(ErrorCode.TOKEN_REFUSED)
    return row


def operator_token(session: Session, token_id: str) -> OperatorToken:
    """The row of a token.

    Raises:
        NotFoundError: There is none with this id.
    """
    row = session.get(OperatorToken, token_id)
    if row is None:
        raise NotFoundError(ErrorCode.UNKNOWN_TOKEN, place=token_id)
    return row


def revoke_operator_token(session: Session, row: OperatorToken, now: datetime) -> None:
    """Make a token void; one that is void already stays so."""
    row.revoked_at = row.revoked_at or now
    session.flush()


def create_operator_token(
    session: Session,
    *,
    name: str,
    role: Role,
    lifetime: timedelta | None,
    now: datetime,
    group_ids: Sequence[str] = (),
) -> tuple[str, OperatorToken]:
    """Make a token; only its hash is kept, so this is the only time it can be shown."""
    token = new_token()
    row = OperatorToken(
        id=str(uuid4()),
        token_hash=token_hash(token),
        name=name,
        role=role,
        group_ids=list(group_ids),
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    session.add(row)
    session.flush()
    return token, row
