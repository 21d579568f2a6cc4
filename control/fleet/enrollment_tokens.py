"""Tokens that devices enrol with: made, spent, listed, revoked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError, TrustError
from control.database.tables import EnrollmentToken
from control.security.tokens import new_token, token_hash


@dataclass(frozen=True)
class Place:
    """What a device becomes by enrolling.

    Attributes:
        group_id: It is put into this group.
        site: Where it stands.
        replaces: The id of a device whose name, site and groups it takes over; that one is retired by it.
    """

    group_id: str | None = None
    site: str | None = None
    replaces: str | None = None


def create_enrollment_token(
    session: Session, place: Place, *, uses: int, lifetime: timedelta, created_by: str, now: datetime
) -> tuple[str, EnrollmentToken]:
    """Make a token; only its hash is kept, so this is the only time it can be shown.

    Args:
        session: The transaction.
        place: What devices that enrol with it become.
        uses: How many devices may enrol with it.
        lifetime: For how long.
        created_by: Whose word it is, as the audit log names them.
        now: The time.
    """
    token = new_token()
    row = EnrollmentToken(
        id=str(uuid4()),
        token_hash=token_hash(token),
        group_id=place.group_id,
        site=place.site,
        uses_left=uses,
        replaces=place.replaces,
        created_by=created_by,
        created_at=now,
        expires_at=now + lifetime,
    )
    session.add(row)
    session.flush()
    return token, row


def held_token(session: Session, digest: str) -> EnrollmentToken | None:
    """The token with this hash, if there is one; who else enrols with it waits until this transaction ends."""
    token = select(EnrollmentToken).where(EnrollmentToken.token_hash == digest)
    return session.scalar(token.with_for_update(key_share=True))


def tokens_by_hash(session: Session, digests: Collection[str]) -> dict[str, EnrollmentToken]:
    """Those of the tokens with these hashes that there are, good or not."""
    tokens = session.scalars(select(EnrollmentToken).where(EnrollmentToken.token_hash.in_(digests)))
    return {token.token_hash: token for token in tokens}


def spend(session: Session, digest: str, now: datetime, uses: int = 1) -> EnrollmentToken:
    """Take uses off the token with this hash, in one statement, so that its last use is not given away twice.

    Raises:
        TrustError: It is unknown, expired, revoked, or not good for so many any more.
    """
    good = (EnrollmentToken.token_hash == digest, EnrollmentToken.uses_left >= uses, *_usable(now))
    spent = update(EnrollmentToken).where(*good).values(uses_left=EnrollmentToken.uses_left - uses)
    tokens = session.execute(spent.returning(EnrollmentToken)).scalars().all()
    if not tokens:
        raise TrustError(ErrorCode.TOKEN_REFUSED)
    return tokens[0]


def enrollment_tokens(now: datetime, *, include_void: bool, group_ids: Collection[str] = ()) -> Select[EnrollmentToken]:
    """The tokens, in no order.

    Args:
        now: The time.
        include_void: Those that are used up, expired or revoked, too.
        group_ids: Only those for devices of these groups; empty for all.
    """
    tokens = select(EnrollmentToken)
    if not include_void:
        tokens = tokens.where(*_usable(now))
    return tokens.where(EnrollmentToken.group_id.in_(group_ids)) if group_ids else tokens


def find_enrollment_token(session: Session, token_id: str) -> EnrollmentToken:
    """The token with this id.

    Raises:
        NotFoundError: There is none.
    """
    row = session.get(EnrollmentToken, token_id)
    if row is None:
        raise NotFoundError(ErrorCode.UNKNOWN_TOKEN, place=token_id)
    return row


def revoke_enrollment_token(session: Session, row: EnrollmentToken, now: datetime) -> bool:
    """Make a token void; devices that have enrolled with it stay.

    Returns:
        Whether it was not revoked before.
    """
    was_good = row.revoked_at is None
    if was_good:
        row.revoked_at = now
    session.flush()
    return was_good


def _usable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_left, is_young = EnrollmentToken.uses_left > 0, EnrollmentToken.expires_at > now
    return is_left, is_young, EnrollmentToken.revoked_at.is_(None)
