"""What happened to a rollout, kept for whoever asks later."""

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.database.tables import RolloutEvent

#: Who acts where the rollout acts by itself.
ITSELF: Final = "rollout"


def record_event(
    session: Session, rollout_id: str, what: str, *, now: datetime, actor: str = ITSELF, detail: str = ""
) -> None:
    """Add what happened; it is there if and only if the transaction is."""
    last = select(func.max(RolloutEvent.sequence)).where(RolloutEvent.rollout_id == rollout_id)
    sequence = (session.scalar(last) or 0) + 1
    event = RolloutEvent(rollout_id=rollout_id, sequence=sequence, at=now, actor=actor, what=what, detail=detail)
    session.add(event)
    session.flush()
