"""Answers about apps."""

from collections.abc import Collection

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from control.answers.pages import PageRequest, read_page
from control.catalog.manifest import Manifest
from control.catalog.revisions import find_app
from control.database.tables import App, Assignment, Group, Package, Revision
from control.views.assignments import AssignmentView
from control.views.catalog import AppDetail, AppView, RevisionView
from control.views.page import Page


def list_apps(session: Session, page: PageRequest) -> Page[AppView]:
    """All apps by name, each with its newest revision."""
    newest = (
        select(Revision.app_id, func.max(Revision.number).label("number"), func.count().label("revisions"))
        .group_by(Revision.app_id)
        .subquery()
    )
    apps = (
        select(App, Revision, newest.c.revisions)
        .join(newest, newest.c.app_id == App.id)
        .join(Revision, (Revision.app_id == App.id) & (Revision.number == newest.c.number))
    )
    rows, cursor = read_page(session, apps, (App.name,), page)
    return Page(items=tuple(_app_view(*row) for row in rows), next_cursor=cursor)


def app_detail(session: Session, name: str) -> AppDetail:
    """One app with everything about it.

    Raises:
        NotFoundError: There is none.
    """
    app = find_app(session, name)
    rows = session.execute(
        select(Revision, Package)
        .join(Package, Package.digest == Revision.package_digest)
        .where(Revision.app_id == app.id)
        .order_by(Revision.number.desc())
    )
    revisions = [(revision, package, Manifest.model_validate_json(revision.manifest)) for revision, package in rows]
    return AppDetail(
        id=app.id,
        name=app.name,
        created_at=app.created_at,
        revisions=tuple(_revision_view(*row) for row in revisions),
        manifest=revisions[0][2].model_dump(mode="json", by_alias=True, exclude_unset=True),
        assignments=assignments_of(session, app.id),
    )


def list_assignments(
    session: Session, page: PageRequest, group_ids: Collection[str] | None = None
) -> Page[AssignmentView]:
    """Assignments by app and group, all or those to these groups."""
    wanted = _assignments()
    if group_ids is not None:
        wanted = wanted.where(Assignment.group_id.in_(group_ids))
    rows, cursor = read_page(session, wanted, (App.name, Group.name), page)
    return Page(items=tuple(_assignment_view(*row) for row in rows), next_cursor=cursor)


def assignments_of(session: Session, app_id: str) -> tuple[AssignmentView, ...]:
    """An app's assignments by group."""
    rows = session.execute(_assignments().where(Assignment.app_id == app_id).order_by(Group.name))
    return tuple(_assignment_view(*row) for row in rows)


def _assignments() -> Select[Assignment, str, str]:
    return (
        select(Assignment, App.name, Group.name)
        .join(App, App.id == Assignment.app_id)
        .join(Group, Group.id == Assignment.group_id)
    )


def _assignment_view(assignment: Assignment, app: str, group: str) -> AssignmentView:
    return AssignmentView(app=app, group=group, intent=assignment.intent, created_at=assignment.created_at)


def _app_view(app: App, revision: Revision, revisions: int) -> AppView:
    manifest = Manifest.model_validate_json(revision.manifest)
    return AppView(
        id=app.id,
        name=app.name,
        publisher=manifest.publisher,
        display_version=manifest.display_version,
        revision=revision.number,
        revisions=revisions,
        created_at=app.created_at,
    )


def _revision_view(revision: Revision, package: Package, manifest: Manifest) -> RevisionView:
    return RevisionView(
        number=revision.number,
        display_version=manifest.display_version,
        package_digest=package.digest,
        size=package.size,
        created_at=revision.created_at,
    )
