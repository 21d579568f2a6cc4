"""The available apps that a device is offered, and how each stands there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.available_apps import MAX_AVAILABLE_APPS, AvailableApp, AvailableAppsReply
from contract.error_codes import ErrorCode
from contract.errors import NotFoundError
from contract.states import Intent
from control.catalog.manifest import Manifest
from control.database.tables import Job, Revision
from control.fleet.app_standing import standing_of
from control.planning.plan import subgraph_of
from control.planning.snapshot import load_fleet
from control.planning.subgraph import Subgraph

#: Characters of a description that a device is told.
_MAX_DESCRIPTION: Final = 2000


@dataclass(frozen=True)
class Offers:
    """What one device is offered.

    Attributes:
        names: The names of the apps, by id.
        jobs: The newest job of the device for each app, offered or not.
    """

    subgraph: Subgraph
    names: Mapping[str, str]
    jobs: Mapping[str, Job]

    @classmethod
    def load(cls, session: Session, device_id: str, now: datetime) -> Self:
        """What the device is offered now: what is available to it and deployed, by the code that plans."""
        fleet = load_fleet(session, now, device_id)
        subgraph = subgraph_of(fleet.demand, fleet.devices[0])
        names = {
            app_id: fleet.demand.apps[app_id].name
            for app_id, target in subgraph.targets.assigned.items()
            if target.intent is Intent.AVAILABLE and subgraph.revision_of(app_id) is not None
        }
        return cls(subgraph, names, newest_jobs(session, device_id))

    def find(self, wanted: str) -> str:
        """The id of the app with this id or name; where none is named exactly so, upper and lower case are the same.

        Raises:
            NotFoundError: The device is not offered such an app; it does not learn whether there is one.
        """
        exact = [app_id for app_id, name in self.names.items() if wanted in {app_id, name}]
        alike = [app_id for app_id, name in self.names.items() if wanted.casefold() == name.casefold()]
        found = exact or alike
        if not found:
            raise NotFoundError(ErrorCode.APP_NOT_AVAILABLE, place=wanted)
        return min(found)

    def page(self, session: Session, *, after: str) -> AvailableAppsReply:
        """The apps whose names follow this one, as many as one answer holds."""
        following = sorted((name, app_id) for app_id, name in self.names.items() if name > after)
        page = following[:MAX_AVAILABLE_APPS]
        apps = tuple(self.describe(session, app_id) for _, app_id in page)
        return AvailableAppsReply(apps=apps, next_after=page[-1][0] if len(following) > len(page) else None)

    def describe(self, session: Session, app_id: str) -> AvailableApp:
        """One app that is offered."""
        revision = session.get_one(Revision, (app_id, self.subgraph.revision_of(app_id)))
        manifest = Manifest.model_validate_json(revision.manifest)
        request, job = self.subgraph.device.requests.get(app_id), self.jobs.get(app_id)
        return AvailableApp(
            app_id=app_id,
            name=self.names[app_id],
            version=manifest.display_version,
            publisher=manifest.publisher,
            description=manifest.description[:_MAX_DESCRIPTION],
            standing=standing_of(job, request),
            requested=None if request is None else request.kind,
            requested_at=None if request is None else request.at,
            error_code="" if job is None else job.error_code or "",
            detail="" if job is None else job.next_action_detail or job.error_detail,
            next_attempt_at=None if job is None else job.next_action_at,
        )


def newest_jobs(session: Session, device_id: str) -> dict[str, Job]:
    """The newest job of a device for each app."""
    newest = select(Job).where(Job.device_id == device_id, Job.is_newest)
    return {job.app_id: job for job in session.scalars(newest)}
