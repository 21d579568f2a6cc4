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
from control.filters.parse import parse_rule
from control.filters.rule import text_of

_NAMED_USERS: Final = 5


def put_filter(session: Session, name: str, rule: str, now: datetime) -> tuple[Filter, bool]:
    """The filter with this name and rule, from now on; the same again changes nothing.

    Returns:
        The filter, and whether it is new.

    Raises:
        InputError: The rule cannot be understood.
    """
    text = text_of(parse_rule(rule, place=f"filter {name}"))
    lock_planning(session)
    found = session.scalar(select(Filter).where(Filter.name == name))
    kept = found or Filter(id=str(uuid4()), name=name, created_at=now)
    kept.rule = text
    session.add(kept)
    session.flush()
    return kept, found is None


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
    found = find_filter(session, name)
    lock_planning(session)
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
