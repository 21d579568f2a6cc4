"""Revisions: each makes one package and one manifest deployable, and is never changed."""

from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.states import Intent
from control.catalog.content import find_package
from control.catalog.manifest import Manifest
from control.catalog.policies import Order, PolicyOffice, limits_of
from control.catalog.relations import note_relations
from control.database.session import lock_planning
from control.database.tables import App, Revision

#: What a revision can be assigned for; each has a policy of its own.
ASSIGNABLE: Final = (Intent.REQUIRED, Intent.UNINSTALL, Intent.AVAILABLE)


def add_revision(
    session: Session, manifest: Manifest, package_digest: str, *, policies: PolicyOffice, now: datetime
) -> tuple[Revision, bool]:
    """Make a revision of the app the manifest names, and the app with its first one.

    Returns:
        The revision, and whether it is new: the newest one with the same package and manifest is given again.

    Raises:
        NotFoundError: There is no such package, or the manifest names an app that is not there.
        InputError: RELATION_CYCLE or RELATION_LIMIT.
    """
    package = find_package(session, package_digest)
    # Two publishers of one app would otherwise count up to the same number.
    lock_planning(session)
    app = session.scalar(select(App).where(App.name == manifest.name)) or _add_app(session, manifest.name, now)
    newest = newest_revision(session, app.id)
    if newest is not None and (newest.package_digest, newest.manifest) == (package.digest, manifest.to_json()):
        return newest, False
    revision = Revision(
        app_id=app.id,
        number=1 if newest is None else newest.number + 1,
        package_digest=package.digest,
        manifest=manifest.to_json(),
        max_run_time_seconds=limits_of(manifest).max_run_time_seconds,
        created_at=now,
    )
    session.add(revision)
    session.flush()
    note_relations(session, app, revision, manifest)
    for intent in ASSIGNABLE:
        policies.current(session, Order(revision, intent), now)
    return revision, True


def newest_revision(session: Session, app_id: str) -> Revision | None:
    """The revision that is deployed when the app is assigned; None for an app that is not there."""
    newest = select(Revision).where(Revision.app_id == app_id).order_by(Revision.number.desc()).limit(1)
    return session.scalar(newest)


def find_app(session: Session, name: str) -> App:
    """The app with this name or id.

    Raises:
        NotFoundError: There is none.
    """
    app = session.scalar(select(App).where(App.name == name)) or session.get(App, name)
    if app is None:
        raise NotFoundError(ErrorCode.UNKNOWN_APP, place=name)
    return app


def _add_app(session: Session, name: str, now: datetime) -> App:
    app = App(id=str(uuid4()), name=name, created_at=now)
    session.add(app)
    session.flush()
    return app
