"""Who is in a group: the devices that match its rule, kept up to date as facts and rules change; or those named."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from control.database.among import among
from control.database.session import lock_planning
from control.database.tables import Device, Group, GroupMember
from control.filters.evaluate import matches
from control.filters.facts import Described, facts_of
from control.filters.parse import canonical_rule, parse_rule
from control.filters.rule import Rule
from control.tallies.members import discount_members

#: Devices read at once, and members written at once.
_BATCH: Final = 500
#: Rules kept parsed; they are the same at every check-in.
_KEPT_RULES: Final = 1024

_DYNAMIC: Final = select(Group.id, Group.rule).where(Group.rule.is_not(None))
_MEMBERSHIPS: Final = select(GroupMember.group_id, GroupMember.device_id).where(
    among(GroupMember.device_id, "device_ids")
)


@lru_cache(maxsize=_KEPT_RULES)
def stored_rule(text: str) -> Rule:
    """The rule of a group or filter as the database has it."""
    return parse_rule(text)


def set_rule(session: Session, group: Group, rule: str | None, now: datetime) -> None:
    """Let the rule choose the members from now on; without one they stay, and operators choose.

    Raises:
        InputError: The rule cannot be understood.
    """
    note_rule(session, group, rule)
    refresh_group(session, group, now)


def note_rule(session: Session, group: Group, rule: str | None) -> None:
    """The same without looking at any device: `refresh_groups` has to follow in this transaction.

    Raises:
        InputError: The rule cannot be understood.
    """
    text = None if rule is None else canonical_rule(rule, place=f"group {group.name}")
    lock_planning(session)
    group.rule = text
    session.flush()


def refresh_group(session: Session, group: Group, now: datetime) -> None:
    """Make the members of a dynamic group those that match; a static one stays as it is."""
    refresh_groups(session, [group], now)


def refresh_groups(session: Session, groups: Iterable[Group], now: datetime) -> None:
    """The same for many: each device is read once, whatever number of rules look at it."""
    dynamic = [(group, stored_rule(group.rule), set[str]()) for group in groups if group.rule is not None]
    if not dynamic:
        return
    enrolled = select(Device).where(Device.retired_at.is_(None)).execution_options(yield_per=_BATCH)
    for device in session.scalars(enrolled):
        facts = facts_of(device)
        for _, rule, matching in dynamic:
            if matches(rule, facts):
                matching.add(device.id)
    for group, _, matching in dynamic:
        set_members(session, group, matching, now)


def set_members(session: Session, group: Group, device_ids: AbstractSet[str], now: datetime) -> None:
    """Let these enrolled devices be in the group and no others."""
    # Retired devices stay for the one that replaces them.
    known = select(GroupMember.device_id).join(Device).where(GroupMember.group_id == group.id)
    members = set(session.scalars(known.where(Device.retired_at.is_(None))))
    _add(session, ((group.id, device_id) for device_id in sorted(device_ids - members)), now)
    gone = sorted(members - device_ids)
    for start in range(0, len(gone), _BATCH):
        part = GroupMember.device_id.in_(gone[start : start + _BATCH])
        _remove(session, GroupMember.group_id == group.id, part)


def join_static(session: Session, wanted: Mapping[str, Collection[str]], now: datetime) -> None:
    """Put devices that are in no group yet into groups; where a rule chooses the members, it stays with that.

    Args:
        session: The transaction.
        wanted: The ids of the groups, by the devices' ids.
        now: The time.
    """
    groups = {group_id for group_ids in wanted.values() for group_id in group_ids}
    static = set(session.scalars(select(Group.id).where(Group.id.in_(groups), Group.rule.is_(None))))
    _add(
        session,
        sorted((group_id, id_) for id_, group_ids in wanted.items() for group_id in static & set(group_ids)),
        now,
    )


def refresh_device(session: Session, device: Device, now: datetime) -> bool:
    """Put a device into the dynamic groups that it matches and take it out of the others.

    Returns:
        Whether anything changed.
    """
    return refresh_devices(session, [device], now)


def refresh_devices(session: Session, devices: Sequence[Described], now: datetime) -> bool:
    """The same for some devices."""
    dynamic = session.execute(_DYNAMIC).all()
    if not dynamic:
        return False
    rules = {group_id: stored_rule(rule) for group_id, rule in dynamic if rule is not None}
    matching = {
        (group_id, device.id)
        for device, facts in ((device, facts_of(device)) for device in devices)
        for group_id, rule in rules.items()
        if matches(rule, facts)
    }
    known = session.execute(_MEMBERSHIPS, {"device_ids": [device.id for device in devices]})
    members = {(group_id, device_id) for group_id, device_id in known if group_id in rules}
    _add(session, sorted(matching - members), now)
    for group_id, device_id in sorted(members - matching):
        left = (GroupMember.device_id == device_id, GroupMember.group_id == group_id)
        _remove(session, *left)
    return matching != members


def _remove(session: Session, *which: ColumnElement[bool]) -> None:
    discount_members(session, *which)
    session.execute(delete(GroupMember).where(*which))


def _add(session: Session, pairs: Iterable[tuple[str, str]], now: datetime) -> None:
    rows = [{"group_id": group_id, "device_id": device_id, "added_at": now} for group_id, device_id in pairs]
    for start in range(0, len(rows), _BATCH):
        session.execute(insert(GroupMember), rows[start : start + _BATCH])
