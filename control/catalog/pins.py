"""Which revision of an app is deployed: the newest, unless one is pinned."""

from datetime import datetime

from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.catalog.policies import PolicyOffice
from control.catalog.relations import require_deployable
from control.catalog.revisions import newest_revision
from control.catalog.rollback import roll_back
from control.database.session import lock_planning
from control.database.tables import App, Revision


def pin(session: Session, app: App, revision: int) -> None:
    """Deploy this revision until another one is pinned; devices that have had a newer one keep theirs.

    Raises:
        NotFoundError: The app has no such revision.
        InputError: Its relations would not be sound with those of other apps as they are by now.
    """
    lock_planning(session)
    if session.get(Revision, (app.id, revision)) is None:
        raise NotFoundError(ErrorCode.UNKNOWN_REVISION, place=app.name, detail=f"it has no revision {revision}")
    require_deployable(session, app, revision)
    app.pinned_revision = revision


def deploy_none(session: Session, app: App) -> None:
    """Deploy nothing of the app until a revision is pinned, or the newest is wanted; devices keep what they have."""
    lock_planning(session)
    app.pinned_revision = 0


def roll_forward(session: Session, app: App) -> None:
    """Deploy the newest revision from now on.

    Raises:
        InputError: Its relations would not be sound with those of other apps as they are by now.
    """
    lock_planning(session)
    newest = newest_revision(session, app.id)
    if newest is not None:
        require_deployable(session, app, newest.number)
    app.pinned_revision = None


def bring_back(session: Session, app: App, revision: int | None, *, policies: PolicyOffice, now: datetime) -> Revision:
    """Deploy an older revision again, on all devices: under a new number, because none goes back to a smaller one.

    Args:
        session: The transaction.
        app: The app.
        revision: The revision to bring back; None for the one before the deployed one.
        policies: Signs the new revision's policies.
        now: The time.

    Returns:
        The new revision, which is the deployed one from now on.

    Raises:
        NotFoundError: The app has no such revision.
        InputError: Its relations would not be sound with those of other apps as they are by now.
    """
    lock_planning(session)
    wanted = deployed_revision(session, app) - 1 if revision is None else revision
    copy = roll_back(session, app, wanted, policies=policies, now=now)
    require_deployable(session, app, copy.number)
    app.pinned_revision = None
    return copy


def deployed_revision(session: Session, app: App) -> int:
    """The pinned revision, else the newest; 0 where none is deployed."""
    if app.pinned_revision is not None:
        return app.pinned_revision
    newest = newest_revision(session, app.id)
    return 0 if newest is None else newest.number
