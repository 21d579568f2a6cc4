"""Answers about apps."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from control.answers.assignments import assignments_of
from control.answers.pages import PageRequest, read_page
from control.catalog.manifest import Manifest
from control.catalog.revisions import find_app
from control.database.tables import App, Package, Revision
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
