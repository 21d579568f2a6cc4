"""Which jobs are meant."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.states import Outcome
from control.catalog.revisions import find_app
from control.database.tables import GroupMember, Job
from control.fleet.devices import find_device
from control.fleet.groups import find_group
from control.newest_jobs import is_newest


@dataclass(frozen=True)
class JobFilter:
    """Which jobs; None means any. Of a device and app only the newest counts; the device's page has all.

    Attributes:
        device: By name or id.
        error_code: The error's name in the table.
        group_ids: On devices in one of these groups, whatever else is asked for.
    """

    app: str | None = None
    group: str | None = None
    device: str | None = None
    state: JobState | None = None
    outcome: Outcome | None = None
    error_code: str | None = None
    group_ids: frozenset[str] | None = None


def conditions(session: Session, wanted: JobFilter) -> tuple[ColumnElement[bool], ...]:
    """What a row of `jobs` must fulfil.

    Raises:
        NotFoundError: The filter names an app, group or device that is not there.
    """
    found = [is_newest()]
    if wanted.app is not None:
        found.append(Job.app_id == find_app(session, wanted.app).id)
    if wanted.device is not None:
        found.append(Job.device_id == find_device(session, wanted.device).id)
    if wanted.group is not None:
        found.append(_in_groups([find_group(session, wanted.group).id]))
    if wanted.group_ids is not None:
        found.append(_in_groups(wanted.group_ids))
    named = {Job.state: wanted.state, Job.outcome: wanted.outcome, Job.error_code: wanted.error_code}
    found += [column == value for column, value in named.items() if value is not None]
    return tuple(found)


def _in_groups(group_ids: Collection[str]) -> ColumnElement[bool]:
    return Job.device_id.in_(select(GroupMember.device_id).where(GroupMember.group_id.in_(group_ids)))
