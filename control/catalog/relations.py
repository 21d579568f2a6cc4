"""Relations of revisions: written with the revision, refused where the graph of all apps would not be sound."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from control.catalog.manifest import Manifest
from control.catalog.manifest_entries import DependencyType, SupersedenceType
from control.catalog.relation_graph import require_sound
from control.database.tables import App, RelationRow, Revision
from control.relation_mode import RelationMode

_DEPENDENCY_MODES: Final[dict[DependencyType, RelationMode]] = {
    "autoInstall": RelationMode.AUTO_INSTALL,
    "detect": RelationMode.DETECT_ONLY,
}
_SUPERSEDENCE_MODES: Final[dict[SupersedenceType, RelationMode]] = {
    "update": RelationMode.UPDATE,
    "replace": RelationMode.REPLACE,
}


def note_relations(session: Session, app: App, revision: Revision, manifest: Manifest) -> None:
    """Write what the manifest says of other apps.

    Raises:
        NotFoundError: UNKNOWN_APP: it names an app that is not published yet.
        InputError: RELATION_CYCLE or RELATION_LIMIT.
    """
    for place, name, mode in _named(manifest):
        related = session.scalar(select(App.id).where(App.name == name))
        if related is None:
            detail = "publish it before the apps that name it"
            raise NotFoundError(ErrorCode.UNKNOWN_APP, place=f"{place}: {name}", detail=detail)
        session.add(RelationRow(app_id=app.id, revision=revision.number, related_app_id=related, mode=mode))
    session.flush()
    require_deployable(session, app, revision.number)


def require_deployable(session: Session, app: App, revision: int) -> None:
    """Let pass only a revision with which, once it is the deployed one, the graph of all apps is sound.

    Raises:
        InputError: RELATION_CYCLE or RELATION_LIMIT.
    """
    graph = dict(_deployed_graph(session))
    graph[app.name] = _relations_of(session, app.id, revision)
    require_sound(graph, app.name)


def _named(manifest: Manifest) -> Iterator[tuple[str, str, RelationMode]]:
    for index, dependency in enumerate(manifest.dependencies):
        yield f"dependencies[{index}].app", dependency.app, _DEPENDENCY_MODES[dependency.dependency_type]
    for index, superseded in enumerate(manifest.supersedence):
        yield f"supersedence[{index}].app", superseded.app, _SUPERSEDENCE_MODES[superseded.supersedence_type]


def _deployed_graph(session: Session) -> Mapping[str, Mapping[str, RelationMode]]:
    """The relations of each app's deployed revision: the pinned one, else the newest."""
    newest = select(Revision.app_id, func.max(Revision.number).label("number")).group_by(Revision.app_id).subquery()
    deployed = select(App.id, App.name, func.coalesce(App.pinned_revision, newest.c.number).label("number")).join(
        newest, newest.c.app_id == App.id
    )
    apps = deployed.subquery()
    is_deployed = (RelationRow.app_id == apps.c.id) & (RelationRow.revision == apps.c.number)
    rows = (
        select(apps.c.name, App.name, RelationRow.mode)
        .select_from(RelationRow)
        .join(apps, is_deployed)
        .join(App, App.id == RelationRow.related_app_id)
    )
    graph: dict[str, dict[str, RelationMode]] = {}
    for name, related, mode in session.execute(rows):
        graph.setdefault(name, {})[related] = mode
    return graph


def _relations_of(session: Session, app_id: str, revision: int) -> Mapping[str, RelationMode]:
    rows = (
        select(App.name, RelationRow.mode)
        .join(App, App.id == RelationRow.related_app_id)
        .where(RelationRow.app_id == app_id, RelationRow.revision == revision)
    )
    return dict(session.execute(rows).all())
