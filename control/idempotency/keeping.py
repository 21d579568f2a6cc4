"""Which requests were here, and what was answered."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from contract.error_codes import ErrorCode
from contract.errors import InputError
from control.database.session import Database
from control.database.tables import KeptAnswer
from control.idempotency.keyed_request import Answer, KeyedRequest

#: How long an answer is kept.
KEPT: Final = timedelta(days=1)
#: A request that has had no answer for this long was cut off; the same is carried out anew.
CUT_OFF: Final = timedelta(minutes=2)

_PLACE: Final = "Idempotency-Key"


def begin(database: Database, request: KeyedRequest, now: datetime) -> Answer | None:
    """Remember that the request is being carried out; the answer, where it was carried out before.

    Raises:
        InputError: The key belongs to another request, or the first one with it has no answer yet.
    """
    try:
        with database.transaction() as session:
            known = session.get(KeptAnswer, request.key_digest, with_for_update=True)
            if known is not None and now - known.begun_at > (CUT_OFF if known.sealed is None else KEPT):
                session.delete(known)
                session.flush()
                known = None
            if known is None:
                row = KeptAnswer(key_digest=request.key_digest, request_digest=request.request_digest, begun_at=now)
                session.add(row)
                return None
    except IntegrityError:
        raise InputError(ErrorCode.IDEMPOTENCY_KEY_BUSY, place=_PLACE) from None
    if known.request_digest != request.request_digest:
        raise InputError(ErrorCode.IDEMPOTENCY_KEY_REUSED, place=_PLACE)
    if known.sealed is None:
        raise InputError(ErrorCode.IDEMPOTENCY_KEY_BUSY, place=_PLACE)
    return request.open(known.sealed)


def keep(database: Database, request: KeyedRequest, answer: Answer) -> None:
    """Keep the answer to a request that was begun."""
    with database.transaction() as session:
        own = KeptAnswer.key_digest == request.key_digest
        session.execute(update(KeptAnswer).where(own).values(sealed=request.seal(answer)))


def give_up(database: Database, request: KeyedRequest) -> None:
    """Forget a request that failed: the same may be tried again."""
    with database.transaction() as session:
        session.execute(delete(KeptAnswer).where(KeptAnswer.key_digest == request.key_digest))


def forget_old_answers(database: Database, now: datetime) -> None:
    """Forget what is older than answers are kept."""
    with database.transaction() as session:
        session.execute(delete(KeptAnswer).where(KeptAnswer.begun_at < now - KEPT))
