"""Filters under their names."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError, NotFoundError
from control.database.session import lock_planning
from control.database.tables import App, Assignment, Filter, Group
from control.filters.parse import canonical_rule

_NAMED_USERS: Final = 5


def add_filter(session: Session, name: str, rule: str, now: datetime) -> tuple[Filter, bool]:
    """Make a filter; the same again changes nothing.

    Returns:
        The filter, and whether it is new.

    Raises:
        InputError: The rule cannot be understood, or the name stands for another one.
    """
    text = canonical_rule(rule, place=f"filter {name}")
    lock_planning(session)
    found = session.scalar(select(Filter).where(Filter.name == name))
    if found is not None and found.rule != text:
        raise InputError(ErrorCode.NAME_TAKEN, place=name, detail=f"the filter's rule is {found.rule}")
    made = found or Filter(id=str(uuid4()), name=name, rule=text, created_at=now)
    session.add(made)
    session.flush()
    return made, found is None


def change_filter(session: Session, found: Filter, rule: str) -> None:
    """Give a filter another rule.

    Raises:
        InputError: The rule cannot be understood.
    """
    lock_planning(session)
    found.rule = canonical_rule(rule, place=f"filter {found.name}")
    session.flush()


def find_filter(session: Session, name: str) -> Filter:
    """The filter with this name.

    Raises:
        NotFoundError: There is none.
    """
    found = session.scalar(select(Filter).where(Filter.name == name))
    if found is None:
        raise NotFoundError(ErrorCode.UNKNOWN_FILTER, place=name)
    return found


def delete_filter(session: Session, name: str) -> Filter:
    """Remove a filter that nothing refers to; what it was.

    Raises:
        NotFoundError: There is none.
        InputError: STILL_IN_USE: assignments refer to it.
    """
    lock_planning(session)
    found = find_filter(session, name)
    users = (
        select(App.name, Group.name)
        .select_from(Assignment)
        .join(App, App.id == Assignment.app_id)
        .join(Group, Group.id == Assignment.group_id)
        .where(Assignment.filter_id == found.id)
        .order_by(App.name, Group.name)
    )
    require_unused(f"filter {name}", [f"assignment of {app} to {group}" for app, group in session.execute(users)])
    session.delete(found)
    session.flush()
    return found


def require_unused(what: str, users: Sequence[str]) -> None:
    """Let pass only what nothing refers to.

    Raises:
        InputError: STILL_IN_USE, with the first few of those that do.
    """
    if users:
        more = len(users) - _NAMED_USERS
        named = [*users[:_NAMED_USERS], *([f"{more} more"] if more > 0 else [])]
        raise InputError(ErrorCode.STILL_IN_USE, place=what, detail=", ".join(named))
