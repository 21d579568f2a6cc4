"""Groups of devices and who is in them."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.database.session import lock_planning
from control.database.tables import Group, GroupMember


def create_group(session: Session, name: str, now: datetime) -> Group:
    """The group with this name; an empty one is made if there is none yet."""
    lock_planning(session)
    found = session.scalar(select(Group).where(Group.name == name))
    if found is not None:
        return found
    group = Group(id=str(uuid4()), name=name, created_at=now)
    session.add(group)
    session.flush()
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


def add_member(session: Session, group_id: str, device_id: str, now: datetime) -> None:
    """Put a device into a group; one that is in it already is fine."""
    if session.get(GroupMember, (group_id, device_id)) is None:
        session.add(GroupMember(group_id=group_id, device_id=device_id, added_at=now))
        session.flush()


def remove_member(session: Session, group_id: str, device_id: str) -> None:
    """Take a device out of a group; one that is not in it is fine."""
    member = session.get(GroupMember, (group_id, device_id))
    if member is not None:
        session.delete(member)
        session.flush()
