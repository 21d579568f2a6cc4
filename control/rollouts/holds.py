"""Which revision of an app a device gets while a rollout is under way: a hold, lifted device by device."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.database.tables import Device, Rollout, RolloutDevice
from control.rollouts.states import ACTIVE_STATES


@dataclass(frozen=True)
class RolloutHold:
    """What a rollout makes of its app on one device; it stands above the app's pin and its newest revision.

    Attributes:
        revision: The only revision the device gets: what is rolled out once it is admitted, and what it had before
            until then. None for nothing yet.
    """

    device_id: str
    app_id: str
    revision: int | None


def rollout_holds(session: Session, first_id: str | None = None, last_id: str | None = None) -> Iterator[RolloutHold]:
    """What the rollouts that are under way say of each device, also of those that have not joined them yet.

    Args:
        session: The transaction.
        first_id: Only devices from this one on.
        last_id: Only devices up to this one.
    """
    rollouts = session.scalars(select(Rollout).where(Rollout.state.in_(ACTIVE_STATES))).all()
    for rollout in rollouts:
        own = (RolloutDevice.rollout_id == rollout.id) & (RolloutDevice.device_id == Device.id)
        devices = select(Device.id, RolloutDevice.admitted_at.is_not(None)).outerjoin(RolloutDevice, own)
        if first_id is not None:
            devices = devices.where(Device.id >= first_id)
        if last_id is not None:
            devices = devices.where(Device.id <= last_id)
        for device_id, is_admitted in session.execute(devices):
            yield RolloutHold(device_id, rollout.app_id, target_of(rollout) if is_admitted else rollout.baseline)


def target_of(rollout: Rollout) -> int:
    """The revision that admitted devices get: the one rolled out, or the one that takes it back."""
    return rollout.revision if rollout.rollback_revision is None else rollout.rollback_revision
