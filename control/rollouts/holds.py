"""Which revision of an app a device gets while a rollout is under way: a hold, lifted device by device."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.database.tables import Rollout, RolloutDevice
from control.rollouts.states import ACTIVE_STATES


@dataclass(frozen=True)
class RolloutHold:
    """What a rollout makes of its app; it stands above the app's pin and its newest revision.

    Attributes:
        rollout: The rollout's name.
        revision: What admitted devices get: what is rolled out, or what takes its place while it is rolled back.
        baseline: What all other devices get; None for nothing yet.
        admitted: The ids of the admitted devices.
    """

    app_id: str
    rollout: str
    revision: int
    baseline: int | None
    admitted: frozenset[str]

    def revision_for(self, device_id: str) -> int | None:
        """The revision that the device gets; None for nothing yet."""
        return self.revision if device_id in self.admitted else self.baseline


def load_holds(session: Session, device_id: str | None = None) -> tuple[RolloutHold, ...]:
    """The holds of all rollouts that are under way, at most one for each app.

    Args:
        session: The transaction.
        device_id: Look for this device only; what the holds say of others is then void.
    """
    rollouts = session.scalars(select(Rollout).where(Rollout.state.in_(ACTIVE_STATES))).all()
    return tuple(_hold(session, rollout, device_id) for rollout in rollouts)


def _hold(session: Session, rollout: Rollout, device_id: str | None) -> RolloutHold:
    admitted = select(RolloutDevice.device_id).where(
        RolloutDevice.rollout_id == rollout.id, RolloutDevice.admitted_at.is_not(None)
    )
    if device_id is not None:
        admitted = admitted.where(RolloutDevice.device_id == device_id)
    return RolloutHold(
        app_id=rollout.app_id,
        rollout=rollout.name,
        revision=rollout.revision if rollout.rollback_revision is None else rollout.rollback_revision,
        baseline=rollout.baseline,
        admitted=frozenset(session.scalars(admitted)),
    )
