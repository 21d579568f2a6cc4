"""Answers about devices and groups."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.answers.jobs import device_jobs, has_more_jobs
from control.answers.moment import Moment
from control.answers.pages import PageRequest, read_page
from control.database.tables import Device, Group, GroupMember
from control.fleet.devices import find_device
from control.history.archived import count_archived
from control.views.fleet import DeviceDetail, DeviceView, GroupView, RetiredDeviceView
from control.views.page import Page

#: A retired device stays in its groups for the one that replaces it, and is not shown.
_ACTIVE_MEMBERS = (
    select(GroupMember.group_id, GroupMember.device_id)
    .join(Device, Device.id == GroupMember.device_id)
    .where(Device.retired_at.is_(None))
    .subquery()
)

_SHOWN_FACTS = ("os_name", "os_version", "architecture", "agent_version")


def list_devices(
    session: Session, online_since: datetime, page: PageRequest, group_ids: Collection[str] | None = None
) -> Page[DeviceView]:
    """Enrolled devices by name, all or those in some of these groups; those seen since then count as online."""
    enrolled = select(Device).where(Device.retired_at.is_(None))
    if group_ids is not None:
        members = select(GroupMember.device_id).where(GroupMember.group_id.in_(group_ids))
        enrolled = enrolled.where(Device.id.in_(members))
    rows, cursor = read_page(session, enrolled, (Device.name, Device.id), page)
    return Page(items=tuple(device_view(device, online_since) for (device,) in rows), next_cursor=cursor)


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
        has_more_jobs=has_more_jobs(session, device.id),
        archived_jobs=count_archived(session, device.id),
    )


def list_groups(session: Session, page: PageRequest, group_ids: Collection[str] | None = None) -> Page[GroupView]:
    """Groups by name, all or these only."""
    wanted = select(Group) if group_ids is None else select(Group).where(Group.id.in_(group_ids))
    rows, cursor = read_page(session, wanted, (Group.name,), page)
    return Page(items=_group_views(session, [group for (group,) in rows]), next_cursor=cursor)


def group_view(session: Session, group: Group) -> GroupView:
    """One group and how many devices are in it."""
    (view,) = _group_views(session, [group])
    return view


def _group_views(session: Session, groups: Sequence[Group]) -> tuple[GroupView, ...]:
    counts = (
        select(_ACTIVE_MEMBERS.c.group_id, func.count())
        .where(_ACTIVE_MEMBERS.c.group_id.in_([group.id for group in groups]))
        .group_by(_ACTIVE_MEMBERS.c.group_id)
    )
    members: dict[str, int] = dict(session.execute(counts).all())
    return tuple(
        GroupView(
            id=group.id,
            name=group.name,
            members=members.get(group.id, 0),
            rule=group.rule,
            created_at=group.created_at,
        )
        for group in groups
    )


def device_view(device: Device, online_since: datetime) -> DeviceView:
    """A device as lists show it."""
    return DeviceView(
        id=device.id,
        name=device.name,
        site=device.site,
        online=device.retired_at is None and device.last_seen_at >= online_since,
        last_seen_at=device.last_seen_at,
        enrolled_at=device.enrolled_at,
        **{fact: str(device.facts.get(fact, "")) for fact in _SHOWN_FACTS},
    )


def retired_device_view(device: Device, online_since: datetime) -> RetiredDeviceView:
    """A retired device, and whether the broker has shut it out."""
    seen = device_view(device, online_since).model_dump()
    return RetiredDeviceView(**seen, retired_at=device.retired_at, cut_off_at=device.cut_off_at)
