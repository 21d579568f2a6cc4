"""Answers about apps."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.catalog.manifest import Manifest
from control.catalog.revisions import find_app
from control.database.tables import App, Assignment, Group, Package, Revision
from control.views.assignments import AssignmentView
from control.views.catalog import AppDetail, AppView, RevisionView


def list_apps(session: Session) -> list[AppView]:
    """All apps by name, each with its newest revision."""
    newest = (
        select(Revision.app_id, func.max(Revision.number).label("number"), func.count().label("revisions"))
        .group_by(Revision.app_id)
        .subquery()
    )
    rows = session.execute(
        select(App, Revision, newest.c.revisions)
        .join(newest, newest.c.app_id == App.id)
        .join(Revision, (Revision.app_id == App.id) & (Revision.number == newest.c.number))
        .order_by(App.name)
    )
    return [_app_view(app, revision, revisions) for app, revision, revisions in rows]


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
        assignments=tuple(list_assignments(session, app_id=app.id)),
    )


def list_assignments(session: Session, app_id: str | None = None) -> list[AssignmentView]:
    """All assignments, or those of one app, by app and group."""
    rows = (
        select(App.name, Group.name, Assignment.intent, Assignment.created_at)
        .join(App, App.id == Assignment.app_id)
        .join(Group, Group.id == Assignment.group_id)
        .order_by(App.name, Group.name, Assignment.intent)
    )
    if app_id is not None:
        rows = rows.where(Assignment.app_id == app_id)
    return [
        AssignmentView(app=app, group=group, intent=intent, created_at=created_at)
        for app, group, intent, created_at in session.execute(rows)
    ]


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
