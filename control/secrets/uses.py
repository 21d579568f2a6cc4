"""Which apps ask for which secrets."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.catalog.manifest import Manifest
from control.database.tables import App, Revision, RevisionSecret, Secret


def require_known(session: Session, manifest: Manifest) -> None:
    """See that all secrets a manifest names are there.

    Raises:
        NotFoundError: UNKNOWN_SECRET, with the first place that names one.
    """
    names = [entry.name for entry in manifest.secrets]
    known = set(session.scalars(select(Secret.name).where(Secret.name.in_(names))))
    for index, name in enumerate(names):
        if name not in known:
            raise NotFoundError(ErrorCode.UNKNOWN_SECRET, place=f"secrets[{index}].name", detail=f"found {name!r}")


def note_uses(session: Session, revision: Revision, manifest: Manifest) -> None:
    """Note what a new revision asks for."""
    for name in {entry.name for entry in manifest.secrets}:
        session.add(RevisionSecret(app_id=revision.app_id, revision=revision.number, secret=name))
    session.flush()


def apps_asking(session: Session, names: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """For each of these secrets, by name, the apps whose newest or pinned revision asks for it."""
    newest = select(Revision.app_id, func.max(Revision.number).label("number")).group_by(Revision.app_id).subquery()
    rows = session.execute(
        select(RevisionSecret.secret, App.name)
        .distinct()
        .join(App, App.id == RevisionSecret.app_id)
        .join(newest, newest.c.app_id == App.id)
        .where(RevisionSecret.secret.in_(names))
        .where(RevisionSecret.revision.in_([newest.c.number, App.pinned_revision]))
        .order_by(App.name)
    )
    found: defaultdict[str, list[str]] = defaultdict(list)
    for secret, app in rows:
        found[secret].append(app)
    return {name: tuple(found[name]) for name in names}
