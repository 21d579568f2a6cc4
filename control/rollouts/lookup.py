"""Find rollouts and what is kept with them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.tables import Rollout, RolloutRing
from control.rollouts.advance import Course, RingProgress
from control.rollouts.spec import RolloutSpec


def find_rollout(session: Session, name: str) -> Rollout:
    """The rollout with this name or id.

    Raises:
        NotFoundError: There is none.
    """
    rollout = session.scalar(select(Rollout).where(Rollout.name == name)) or session.get(Rollout, name)
    if rollout is None:
        raise NotFoundError(ErrorCode.UNKNOWN_ROLLOUT, place=name)
    return rollout


def lock_rollout(session: Session, rollout_id: str) -> Rollout:
    """The rollout, as it is now, until the transaction ends nobody else's.

    Who counts jobs may refer to it meanwhile.
    """
    wanted = select(Rollout).where(Rollout.id == rollout_id).with_for_update(key_share=True)
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def ring_rows(session: Session, rollout_id: str) -> list[RolloutRing]:
    """Its rings, in their order."""
    rows = select(RolloutRing).where(RolloutRing.rollout_id == rollout_id).order_by(RolloutRing.number)
    return list(session.scalars(rows))


def course_of(session: Session, rollout: Rollout) -> Course:
    """The rollout as the rules see it."""
    rings = tuple(
        RingProgress(row.opened_at, row.soak_since, row.passed_at, row.accepted_failures)
        for row in ring_rows(session, rollout.id)
    )
    return Course(rollout.state, RolloutSpec.model_validate(rollout.spec), rings)
