"""Which revision of each app documents want deployed."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.catalog.pins import deploy_none, pin, roll_forward
from control.catalog.revisions import find_app
from control.database.tables import App, Revision
from control.desired.documents import NEWEST, AppDocument
from control.desired.plan import Change


def set_pin(session: Session, document: AppDocument) -> None:
    """Deploy what the document says of an app whose newest revision is as the document says.

    Raises:
        NotFoundError: The app has no such revision.
        InputError: Its relations would not be sound with those of other apps.
    """
    app = find_app(session, document.app_name)
    if document.pin == NEWEST:
        roll_forward(session, app)
    elif document.pin == 0:
        deploy_none(session, app)
    elif isinstance(document.pin, int):
        pin(session, app, document.pin)


def require_revisions(session: Session, changes: Iterable[Change]) -> None:
    """Let pass only pins to revisions that are there, or that the change itself makes.

    Raises:
        NotFoundError: UNKNOWN_REVISION.
    """
    numbers = select(App.name, func.max(Revision.number)).join(Revision, Revision.app_id == App.id).group_by(App.name)
    newest: dict[str, int] = dict(session.execute(numbers).all())
    for change in changes:
        after = change.after
        if isinstance(after, AppDocument) and isinstance(after.pin, int):
            last = newest.get(after.app_name, 0) + (1 if change.makes_revision else 0)
            if after.pin > last:
                detail = f"it has revisions up to {last}; found pin: {after.pin}"
                raise NotFoundError(ErrorCode.UNKNOWN_REVISION, place=" ".join(change.key), detail=detail)
