"""Assignments: what is wanted on which group."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.policy import DeliverySettings
from contract.states import Intent
from control.catalog.delivery_words import require_assignable
from control.catalog.revisions import find_app
from control.catalog.terms import Terms, check_terms
from control.database.session import lock_planning
from control.database.tables import App, Assignment, Filter, Group
from control.filters.stored import find_filter
from control.fleet.groups import find_group

_PLAIN_TERMS: Final = Terms()


@dataclass(frozen=True)
class Assigned:
    """An assignment with what it refers to.

    Attributes:
        filter: Its filter, where it has one.
    """

    assignment: Assignment
    app: App
    group: Group
    filter: Filter | None

    @property
    def terms(self) -> Terms:
        """Its terms."""
        row = self.assignment
        return Terms(
            mode=row.mode,
            filter=None if self.filter is None else self.filter.name,
            filter_mode=row.filter_mode,
            start_at=row.start_at,
            deadline_at=row.deadline_at,
            time_basis=row.time_basis,
            settings=DeliverySettings.model_validate(row.settings),
        )


def assign(
    session: Session, app: str, group: str, intent: Intent, now: datetime, *, terms: Terms = _PLAIN_TERMS
) -> tuple[Assignment, App, Group, bool]:
    """Want the app on the group, with this intent and these terms from now on; the same again changes nothing.

    Returns:
        The assignment, its app and group, and whether it is new.

    Raises:
        NotFoundError: There is no such app, group or filter.
        InputError: The intent is not one to assign, or the terms contradict each other.
    """
    require_assignable(intent, terms.mode)
    check_terms(intent, terms)
    lock_planning(session)
    found_app, found_group = find_app(session, app), find_group(session, group)
    found_filter = None if terms.filter is None else find_filter(session, terms.filter)
    key = (Assignment.app_id == found_app.id, Assignment.group_id == found_group.id)
    existing = session.scalar(select(Assignment).where(*key))
    assignment = existing or Assignment(id=str(uuid4()), app_id=found_app.id, group_id=found_group.id, created_at=now)
    _set(assignment, intent, terms, found_filter)
    session.add(assignment)
    session.flush()
    return assignment, found_app, found_group, existing is None


def unassign(session: Session, app: str, group: str) -> Assigned:
    """Want nothing of the app on the group any more; what was wanted.

    Raises:
        NotFoundError: There is no such app or group, or it is not assigned to it.
    """
    lock_planning(session)
    assigned = find_assignment(session, app, group)
    session.delete(assigned.assignment)
    session.flush()
    return assigned


def find_assignment(session: Session, app: str, group: str) -> Assigned:
    """The app's assignment to the group.

    Raises:
        NotFoundError: There is no such app or group, or it is not assigned to it.
    """
    found_app, found_group = find_app(session, app), find_group(session, group)
    key = (Assignment.app_id == found_app.id, Assignment.group_id == found_group.id)
    assignment = session.scalar(select(Assignment).where(*key))
    if assignment is None:
        raise NotFoundError(ErrorCode.UNKNOWN_ASSIGNMENT, place=f"{found_app.name} on {found_group.name}")
    used = None if assignment.filter_id is None else session.get_one(Filter, assignment.filter_id)
    return Assigned(assignment, found_app, found_group, used)


def _set(assignment: Assignment, intent: Intent, terms: Terms, used: Filter | None) -> None:
    assignment.intent = intent
    assignment.mode = terms.mode
    assignment.filter_id = None if used is None else used.id
    assignment.filter_mode = terms.filter_mode
    assignment.start_at = terms.start_at
    assignment.deadline_at = terms.deadline_at
    assignment.time_basis = terms.time_basis
    assignment.settings = terms.settings.model_dump(mode="json", exclude_defaults=True)
