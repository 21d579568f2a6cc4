"""Which apps come along with a revision: those it depends on, and those they depend on."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from control.catalog.revisions import newest_revision
from control.database.tables import App, Package, RelationRow, Revision
from control.relation_mode import RelationMode


@dataclass(frozen=True)
class Dependency:
    """An app that is installed where it is missing.

    Attributes:
        size: Bytes of its content, fetched only where it is missing.
    """

    app_id: str
    name: str
    size: int


def dependencies_of(session: Session, app_id: str, revision: int) -> tuple[Dependency, ...]:
    """The apps that come along, each once; publishing refuses cycles, and more than a hundred."""
    found: dict[str, Dependency] = {}
    open_ends = [(app_id, revision)]
    while open_ends:
        for related in _installed_first(session, *open_ends.pop()):
            deployed = None if related in found else _deployed(session, related)
            if deployed is not None:
                size = session.get_one(Package, deployed.package_digest).size
                found[related] = Dependency(related, session.get_one(App, related).name, size)
                open_ends.append((related, deployed.number))
    return tuple(found.values())


def _installed_first(session: Session, app_id: str, revision: int) -> list[str]:
    own = (RelationRow.app_id == app_id, RelationRow.revision == revision)
    rows = select(RelationRow.related_app_id).where(*own, RelationRow.mode == RelationMode.AUTO_INSTALL)
    return list(session.scalars(rows.order_by(RelationRow.related_app_id)))


def _deployed(session: Session, app_id: str) -> Revision | None:
    pinned = session.get_one(App, app_id).pinned_revision
    return newest_revision(session, app_id) if pinned is None else session.get(Revision, (app_id, pinned))
