"""Roll back: an older revision under a new number, because a device never goes to a smaller one."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.catalog.manifest import Manifest
from control.catalog.policies import Order, PolicyOffice
from control.catalog.revisions import ASSIGNABLE, newest_revision
from control.database.session import lock_planning
from control.database.tables import App, RelationRow, Revision
from control.secrets.uses import note_uses


def roll_back(session: Session, app: App, number: int, *, policies: PolicyOffice, now: datetime) -> Revision:
    """Make a revision that brings an older one back.

    Returns:
        The new revision; what it asks for and stands in relation to is what the old one did.

    Raises:
        NotFoundError: The app has no such revision.
    """
    lock_planning(session)
    old, newest = session.get(Revision, (app.id, number)), newest_revision(session, app.id)
    if old is None or newest is None:
        raise NotFoundError(ErrorCode.UNKNOWN_REVISION, place=app.name, detail=f"it has no revision {number}")
    copy = Revision(
        app_id=app.id,
        number=newest.number + 1,
        package_digest=old.package_digest,
        manifest=old.manifest,
        max_run_time_seconds=old.max_run_time_seconds,
        copied_from=old.number,
        created_at=now,
    )
    session.add(copy)
    session.flush()
    note_uses(session, copy, Manifest.model_validate_json(old.manifest))
    related = select(RelationRow).where(RelationRow.app_id == app.id, RelationRow.revision == old.number)
    for row in session.scalars(related).all():
        session.add(RelationRow(app_id=app.id, revision=copy.number, related_app_id=row.related_app_id, mode=row.mode))
    for intent in ASSIGNABLE:
        policies.current(session, Order(copy, intent), now)
    return copy
