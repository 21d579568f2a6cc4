"""Answers about revisions: what is deployed where."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from contract.states import Outcome
from control.answers.pages import PageRequest, read_page
from control.catalog.manifest import Manifest
from control.catalog.pins import deployed_revision
from control.database.tables import App, Job, Revision
from control.live_states import LIVE_STATES
from control.newest_jobs import is_newest
from control.views.page import Page
from control.views.revisions import DeployedRevisionView, DeploymentView

_INSTALLED: Final = frozenset({Outcome.INSTALLED, Outcome.ALREADY_INSTALLED})


def list_revisions(session: Session, app: App, page: PageRequest) -> Page[DeployedRevisionView]:
    """The revisions of an app, oldest first, each with how many devices have come how far with it."""
    revisions = select(Revision).where(Revision.app_id == app.id)
    rows, cursor = read_page(session, revisions, (Revision.number,), page)
    deployed = deployment(session, app)
    places = _places(session, app.id)
    views = (_view(revision, deployed, places.get(revision.number, Counter())) for (revision,) in rows)
    return Page(items=tuple(views), next_cursor=cursor)


def deployment(session: Session, app: App) -> DeploymentView:
    """Which revision of the app is deployed now."""
    deployed = deployed_revision(session, app)
    return DeploymentView(app_id=app.id, app=app.name, deployed=deployed, pinned=app.pinned_revision is not None)


def _view(revision: Revision, deployed: DeploymentView, places: Mapping[str, int]) -> DeployedRevisionView:
    is_deployed = revision.number == deployed.deployed
    return DeployedRevisionView(
        number=revision.number,
        display_version=Manifest.model_validate_json(revision.manifest).display_version,
        package_digest=revision.package_digest,
        copied_from=revision.copied_from,
        is_deployed=is_deployed,
        is_pinned=is_deployed and deployed.pinned,
        installed=places.get("installed", 0),
        under_way=places.get("under_way", 0),
        other=places.get("other", 0),
        created_at=revision.created_at,
    )


def _places(session: Session, app_id: str) -> Mapping[int, Counter[str]]:
    """By revision, how many devices are at which of the three places; of each device only the newest job counts."""
    rows = (
        select(Job.revision, Job.state, Job.outcome, func.count())
        .where(Job.app_id == app_id, is_newest())
        .group_by(Job.revision, Job.state, Job.outcome)
    )
    places: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for revision, state, outcome, devices in session.execute(rows):
        ended = "installed" if outcome in _INSTALLED else "other"
        places[revision]["under_way" if state in LIVE_STATES else ended] += devices
    return places
