"""Assignments: what is wanted on which group."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import InputError
from contract.states import Intent
from control.catalog.revisions import ASSIGNABLE, find_app
from control.database.session import lock_planning
from control.database.tables import App, Assignment, Group
from control.fleet.groups import find_group


def assign(
    session: Session, app: str, group: str, intent: Intent, now: datetime
) -> tuple[Assignment, App, Group, bool]:
    """Want the app on the group, with this intent from now on; wanting the same again changes nothing.

    Returns:
        The assignment, its app and group, and whether it is new.

    Raises:
        NotFoundError: There is no such app or group.
        InputError: The intent is not one to assign.
    """
    if intent not in ASSIGNABLE:
        words = ", ".join(word.name.lower() for word in ASSIGNABLE)
        raise InputError(ErrorCode.DOCUMENT_INVALID, place="intent", detail=f"expected one of {words}")
    found_app, found_group = find_app(session, app), find_group(session, group)
    lock_planning(session)
    key = (Assignment.app_id == found_app.id, Assignment.group_id == found_group.id)
    existing = session.scalar(select(Assignment).where(*key))
    if existing is not None:
        existing.intent = intent
        return existing, found_app, found_group, False
    assignment = Assignment(
        id=str(uuid4()), app_id=found_app.id, group_id=found_group.id, intent=intent, created_at=now
    )
    session.add(assignment)
    session.flush()
    return assignment, found_app, found_group, True
