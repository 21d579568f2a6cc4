"""Answers about devices and groups."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.answers.jobs import device_jobs
from control.answers.moment import Moment
from control.database.tables import Device, Group, GroupMember
from control.fleet.devices import find_device
from control.fleet.groups import find_group
from control.views.fleet import DeviceDetail, DeviceView, GroupDetail, GroupView

#: A retired device stays in its groups for the one that replaces it, and is not shown.
_ACTIVE_MEMBERS = (
    select(GroupMember.group_id, GroupMember.device_id)
    .join(Device, Device.id == GroupMember.device_id)
    .where(Device.retired_at.is_(None))
    .subquery()
)

_SHOWN_FACTS = ("os_name", "os_version", "architecture", "agent_version")


def list_devices(session: Session, online_since: datetime) -> list[DeviceView]:
    """All enrolled devices by name; those seen since then count as online."""
    enrolled = select(Device).where(Device.retired_at.is_(None)).order_by(Device.name, Device.id)
    return [device_view(device, online_since) for device in session.scalars(enrolled)]


def device_detail(session: Session, name_or_id: str, moment: Moment) -> DeviceDetail:
    """One device with everything about it.

    Raises:
        NotFoundError: There is none, or several have the name.
    """
    device = find_device(session, name_or_id)
    groups = select(Group.name).join(GroupMember).where(GroupMember.device_id == device.id).order_by(Group.name)
    return DeviceDetail(
        **device_view(device, moment.online_since).model_dump(),
        facts=device.facts,
        refused_messages=device.refused_messages,
        groups=tuple(session.scalars(groups)),
        jobs=tuple(device_jobs(session, device.id, moment)),
    )


def list_groups(session: Session) -> list[GroupView]:
    """All groups by name."""
    rows = (
        select(Group, func.count(_ACTIVE_MEMBERS.c.device_id))
        .outerjoin(_ACTIVE_MEMBERS, _ACTIVE_MEMBERS.c.group_id == Group.id)
        .group_by(Group.id)
        .order_by(Group.name)
    )
    return [
        GroupView(id=group.id, name=group.name, members=members, created_at=group.created_at)
        for group, members in session.execute(rows)
    ]


def group_view(session: Session, group: Group) -> GroupView:
    """One group and how many devices are in it."""
    members = session.scalar(select(func.count()).where(_ACTIVE_MEMBERS.c.group_id == group.id)) or 0
    return GroupView(id=group.id, name=group.name, members=members, created_at=group.created_at)


def group_detail(session: Session, name: str, online_since: datetime) -> GroupDetail:
    """One group with its devices.

    Raises:
        NotFoundError: There is none.
    """
    group = find_group(session, name)
    members = select(Device).join(GroupMember).where(GroupMember.group_id == group.id, Device.retired_at.is_(None))
    return GroupDetail(
        id=group.id,
        name=group.name,
        created_at=group.created_at,
        devices=tuple(
            device_view(device, online_since) for device in session.scalars(members.order_by(Device.name, Device.id))
        ),
    )


def device_view(device: Device, online_since: datetime) -> DeviceView:
    """A device as lists show it."""
    return DeviceView(
        id=device.id,
        name=device.name,
        online=device.retired_at is None and device.last_seen_at >= online_since,
        last_seen_at=device.last_seen_at,
        enrolled_at=device.enrolled_at,
        **{fact: str(device.facts.get(fact, "")) for fact in _SHOWN_FACTS},
    )
