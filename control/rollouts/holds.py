"""Which revision of an app a device gets while a rollout is under way: a hold, lifted device by device."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from control.database.tables import Device, Rollout, RolloutDevice
from control.planning.models import RolloutHold
from control.planning.selection import AboutDevices, Selection, SelectionKind
from control.rollouts.states import ACTIVE_STATES

if TYPE_CHECKING:
    from sqlalchemy import Table

_ROLLOUTS: Final = cast("Table", Rollout.__table__)
_MEMBERS: Final = cast("Table", RolloutDevice.__table__)
_DEVICES: Final = cast("Table", Device.__table__)


@AboutDevices
def _holds_of(kind: SelectionKind) -> Select[Any]:
    rollout, member, device = _ROLLOUTS.c, _MEMBERS.c, _DEVICES.c
    target = func.coalesce(rollout.rollback_revision, rollout.revision)
    own = (member.rollout_id == rollout.id) & (member.device_id == device.id)
    return (
        select(device.id, rollout.app_id, case((member.admitted_at.is_not(None), target), else_=rollout.baseline))
        .join_from(_ROLLOUTS, _DEVICES, kind.holds(device.id))
        .outerjoin(_MEMBERS, own)
        .where(rollout.state.in_(ACTIVE_STATES))
        # Of each device in the same order: devices are told apart by it.
        .order_by(rollout.id)
    )


def rollout_holds(session: Session, devices: Selection) -> Iterator[RolloutHold]:
    """What the rollouts under way say of each of these devices, also of those that have not joined them yet."""
    return (RolloutHold(*row) for row in _holds_of.execute(session, devices))


def target_of(rollout: Rollout) -> int:
    """The revision that admitted devices get: the one rolled out, or the one that takes it back."""
    return rollout.revision if rollout.rollback_revision is None else rollout.rollback_revision
