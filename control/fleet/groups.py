"""Groups of devices and who is in them."""

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from control.database.conflicts import insert_into
from control.database.session import lock_planning, lock_tallies
from control.database.tables import App, Assignment, EnrollmentToken, Group, GroupMember, GroupTally, OperatorToken
from control.filters.parse import canonical_rule
from control.filters.stored import require_unused
from control.fleet.membership import refresh_group
from control.tallies.members import discount_members


def create_group(session: Session, name: str, now: datetime, *, rule: str | None = None) -> Group:
    """The group with this name; it is made if there is none yet, empty or with the devices that match the rule.

    Raises:
        InputError: The rule cannot be understood, or the group that is there has another one.
    """
    lock_planning(session)
    text = None if rule is None else canonical_rule(rule, place=f"group {name}")
    found = session.scalar(select(Group).where(Group.name == name))
    if found is not None and text is not None and found.rule != text:
        detail = "its members are chosen by operators" if found.rule is None else f"its rule is {found.rule}"
        raise InputError(ErrorCode.NAME_TAKEN, place=name, detail=detail)
    if found is not None:
        return found
    group = Group(id=str(uuid4()), name=name, rule=text, created_at=now)
    session.add(group)
    session.flush()
    refresh_group(session, group, now)
    return group


def find_group(session: Session, name: str) -> Group:
    """The group with this name.

    Raises:
        NotFoundError: There is none.
    """
    group = session.scalar(select(Group).where(Group.name == name))
    if group is None:
        raise NotFoundError(ErrorCode.UNKNOWN_GROUP, place=name)
    return group


def require_static(group: Group) -> None:
    """Let pass only groups whose members operators choose.

    Raises:
        InputError: GROUP_DYNAMIC.
    """
    if group.rule is not None:
        raise InputError(ErrorCode.GROUP_DYNAMIC, place=group.name, detail=f"its rule is {group.rule}")


def require_dynamic(group: Group) -> str:
    """The rule of a group that has one.

    Raises:
        InputError: GROUP_STATIC.
    """
    if group.rule is None:
        raise InputError(ErrorCode.GROUP_STATIC, place=group.name)
    return group.rule


def delete_group(session: Session, name: str, now: datetime) -> Group:
    """Remove a group that nothing refers to, with its memberships; what it was.

    Raises:
        NotFoundError: There is none.
        InputError: STILL_IN_USE.
    """
    lock_planning(session)
    group = find_group(session, name)
    require_unused(f"group {name}", list(_users(session, group, now)))
    # Devices that enrol into it by its rule right now are waited for.
    session.refresh(group, with_for_update=True)
    lock_tallies(session)
    for kind in (GroupTally, GroupMember):
        session.execute(delete(kind).where(kind.group_id == group.id))
    # What is left of enrolment tokens can let nobody in any more.
    session.execute(delete(EnrollmentToken).where(EnrollmentToken.group_id == group.id))
    session.delete(group)
    session.flush()
    return group


def _users(session: Session, group: Group, now: datetime) -> Iterator[str]:
    """Assignments, and tokens that are good still."""
    apps = select(App.name).join(Assignment, Assignment.app_id == App.id).where(Assignment.group_id == group.id)
    yield from (f"assignment of {app}" for app in session.scalars(apps.order_by(App.name)))
    good = (EnrollmentToken.uses_left > 0, EnrollmentToken.expires_at > now)
    if session.scalar(select(EnrollmentToken).where(EnrollmentToken.group_id == group.id, *good).limit(1)):
        yield "an enrolment token"
    lasting = or_(OperatorToken.expires_at.is_(None), OperatorToken.expires_at > now)
    tokens = select(OperatorToken).where(OperatorToken.revoked_at.is_(None), lasting).order_by(OperatorToken.name)
    yield from (f"token {token.name}" for token in session.scalars(tokens) if group.id in token.group_ids)


def add_member(session: Session, group_id: str, device_id: str, now: datetime) -> None:
    """Put a device into a group; one that is in it already is fine."""
    row = {"group_id": group_id, "device_id": device_id, "added_at": now}
    session.execute(insert_into(GroupMember, session.get_bind().dialect.name).values(row).on_conflict_do_nothing())


def remove_member(session: Session, group_id: str, device_id: str) -> None:
    """Take a device out of a group; one that is not in it is fine."""
    member = session.get(GroupMember, (group_id, device_id))
    if member is not None:
        discount_members(session, GroupMember.group_id == group_id, GroupMember.device_id == device_id)
        session.delete(member)
        session.flush()
