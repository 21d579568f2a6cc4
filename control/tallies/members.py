"""Count the jobs of a group's devices in the group's own tallies, from when a device has come until it goes.

A device that came to a group is not counted there yet, and its membership says so; until it is counted, answers look
at its jobs themselves. What goes is taken out by whoever takes it out of the group, in the same transaction.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import ColumnElement, and_, func, select, tuple_, update
from sqlalchemy.orm import Session

from control.database.session import lock_tallies
from control.database.tables import GroupMember, GroupTally, Job
from control.tallies.changes import Place, add_to

#: Members of one transaction.
BATCH: Final = 200

_MEMBER: Final = tuple_(GroupMember.group_id, GroupMember.device_id)


def count_members(session: Session, limit: int = BATCH) -> int:
    """Count some of the members that are not counted yet and that nobody has locked; how many."""
    lock_tallies(session)
    new = (
        select(GroupMember.group_id, GroupMember.device_id)
        .where(~GroupMember.is_tallied)
        .order_by(GroupMember.group_id, GroupMember.device_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    members = [tuple(member) for member in session.execute(new)]
    if members:
        these = _MEMBER.in_(members)
        add_to(session, GroupTally, counted_of_members(session, these))
        session.execute(update(GroupMember).where(these).values(is_tallied=True))
    return len(members)


def discount_members(session: Session, *which: ColumnElement[bool]) -> None:
    """Take members out of their groups' tallies; called before they are taken out of the groups."""
    lock_tallies(session)
    counted = counted_of_members(session, and_(GroupMember.is_tallied, *which))
    add_to(session, GroupTally, {place: -jobs for place, jobs in counted.items()})


def group_changes(session: Session, moves: Collection[tuple[str, str, str, str]]) -> Counter[Place]:
    """By how much the numbers of groups change when jobs move: from (device, app, old place, new place)."""
    groups = _groups_of(session, {device_id for device_id, *_ in moves})
    changes: Counter[Place] = Counter()
    for device_id, app_id, old, new in moves:
        for group_id in groups.get(device_id, ()):
            if old:
                changes[group_id, app_id, old] -= 1
            if new:
                changes[group_id, app_id, new] += 1
    return changes


def _groups_of(session: Session, device_ids: Iterable[str]) -> dict[str, list[str]]:
    of = select(GroupMember.device_id, GroupMember.group_id)
    found: dict[str, list[str]] = {}
    counted = of.where(GroupMember.is_tallied, GroupMember.device_id.in_(sorted(device_ids)))
    for device_id, group_id in session.execute(counted):
        found.setdefault(device_id, []).append(group_id)
    return found


def counted_of_members(session: Session, *which: ColumnElement[bool]) -> dict[Place, int]:
    """How many jobs of these members were counted in each place, by group, app and place."""
    place = (GroupMember.group_id, Job.app_id, Job.tallied_as)
    jobs = select(*place, func.count()).join(Job, Job.device_id == GroupMember.device_id)
    counted = jobs.where(Job.tallied_as != "", *which).group_by(*place)
    return {(group, app, where): number for group, app, where, number in session.execute(counted)}
