"""Answers about assignments."""

from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from control.answers.pages import PageRequest, read_page
from control.catalog.assignments import Assigned
from control.catalog.delivery_words import fields_of
from control.database.tables import App, Assignment, Filter, Group
from control.views.assignments import AssignmentView
from control.views.page import Page


def list_assignments(
    session: Session, page: PageRequest, group_ids: Collection[str] | None = None, app_id: str | None = None
) -> Page[AssignmentView]:
    """Assignments by app and group, all or those to these groups and of this app."""
    wanted = _assignments()
    if app_id is not None:
        wanted = wanted.where(Assignment.app_id == app_id)
    if group_ids is not None:
        wanted = wanted.where(Assignment.group_id.in_(group_ids))
    rows, cursor = read_page(session, wanted, (App.name, Group.name), page)
    return Page(items=tuple(assignment_view(Assigned(*row)) for row in rows), next_cursor=cursor)


def assignments_of(session: Session, app_id: str) -> tuple[AssignmentView, ...]:
    """An app's assignments by group."""
    rows = session.execute(_assignments().where(Assignment.app_id == app_id).order_by(Group.name))
    return tuple(assignment_view(Assigned(*row)) for row in rows)


def all_assignments(session: Session) -> tuple[Assigned, ...]:
    """All assignments, by app and group."""
    return tuple(Assigned(*row) for row in session.execute(_assignments().order_by(App.name, Group.name)))


def assignment_view(assigned: Assigned) -> AssignmentView:
    """An assignment as it is shown."""
    return AssignmentView(
        app=assigned.app.name,
        group=assigned.group.name,
        intent=assigned.assignment.intent,
        created_at=assigned.assignment.created_at,
        **fields_of(assigned.terms),
    )


def _assignments() -> Select[Assignment, App, Group, Filter]:
    return (
        select(Assignment, App, Group, Filter)
        .join(App, App.id == Assignment.app_id)
        .join(Group, Group.id == Assignment.group_id)
        .outerjoin(Filter, Filter.id == Assignment.filter_id)
    )
