"""Which devices a rollout is for: those that its app is required on."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.states import Intent
from control.database.tables import Group, GroupMember
from control.planning.snapshot import load_fleet
from control.planning.targets import targets_of
from control.rollouts.ring_sizing import Candidate
from control.rollouts.spec import RolloutSpec


def required_devices(session: Session, app_id: str, now: datetime) -> frozenset[str]:
    """The devices that the app is required on, whichever revision of it they get."""
    fleet = load_fleet(session, now)
    return frozenset(
        device.device_id
        for device in fleet.devices
        if device.is_enrolled
        and (target := targets_of(fleet.demand, device).assigned.get(app_id)) is not None
        and target.intent is Intent.REQUIRED
    )


def candidates(session: Session, app_id: str, spec: RolloutSpec, now: datetime) -> tuple[Candidate, ...]:
    """The same with the groups that the rings name."""
    groups = groups_of_devices(session, {group for ring in spec.rings for group in ring.groups})
    devices = sorted(required_devices(session, app_id, now))
    return tuple(Candidate(device_id, groups.get(device_id, frozenset())) for device_id in devices)


def groups_of_devices(session: Session, names: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Which of these groups each device is in that is in any."""
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    members = select(GroupMember.device_id, Group.name).join(Group, Group.id == GroupMember.group_id)
    for device_id, name in session.execute(members.where(Group.name.in_(sorted(names)))):
        found[device_id] |= {name}
    return found
