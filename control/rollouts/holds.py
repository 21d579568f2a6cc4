"""Which revision of an app a device gets while a rollout is under way: a hold, lifted device by device."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.database.tables import Device, Rollout, RolloutDevice
from control.planning.models import RolloutHold
from control.planning.selection import Selection
from control.rollouts.states import ACTIVE_STATES


def rollout_holds(session: Session, devices: Selection) -> Iterator[RolloutHold]:
    """What the rollouts under way say of each of these devices, also of those that have not joined them yet."""
    rollouts = session.scalars(select(Rollout).where(Rollout.state.in_(ACTIVE_STATES))).all()
    for rollout in rollouts:
        own = (RolloutDevice.rollout_id == rollout.id) & (RolloutDevice.device_id == Device.id)
        admitted = select(Device.id, RolloutDevice.admitted_at.is_not(None)).outerjoin(RolloutDevice, own)
        for device_id, is_admitted in session.execute(admitted.where(devices.holds(Device.id))):
            yield RolloutHold(device_id, rollout.app_id, target_of(rollout) if is_admitted else rollout.baseline)


def target_of(rollout: Rollout) -> int:
    """The revision that admitted devices get: the one rolled out, or the one that takes it back."""
    return rollout.revision if rollout.rollback_revision is None else rollout.rollback_revision
