"""What planning asks of the database: columns, for objects that a session watches cost several times as much."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import ColumnElement, Integer, Select, String, case, false, func, null, select, type_coerce

from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import EnforcementState, Intent, Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import App, AppRequestRow, Assignment, Device, GroupMember, Job, RelationRow, Revision
from control.planning.selection import AboutDevices, SelectionKind

if TYPE_CHECKING:
    from sqlalchemy import Table

_APP: Final = cast("Table", App.__table__).c
_ASSIGNMENT: Final = cast("Table", Assignment.__table__).c
_DEVICES: Final = cast("Table", Device.__table__)
_DEVICE: Final = _DEVICES.c
_JOBS: Final = cast("Table", Job.__table__)
_JOB: Final = _JOBS.c
_MEMBER: Final = cast("Table", GroupMember.__table__).c
_RELATION: Final = cast("Table", RelationRow.__table__).c
_REQUEST: Final = cast("Table", AppRequestRow.__table__).c
_REVISION: Final = cast("Table", Revision.__table__).c


def _devices(kind: SelectionKind, zone: ColumnElement[Any]) -> Select[Any]:
    columns = select(_DEVICE.id, _DEVICE.retired_at.is_(None), zone)
    return columns.where(kind.holds(_DEVICE.id)).order_by(_DEVICE.id)


def _word(column: ColumnElement[Any]) -> ColumnElement[str]:
    return type_coerce(column, String)


def _number(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, Integer)


def _moment(at: datetime) -> datetime:
    return at


#: What `KnownJob` holds after the id, in its order: as a database writes it, and what that is made into.
JOB_FACTS: Final[tuple[tuple[ColumnElement[Any], Callable[[Any], Any]], ...]] = (
    (_JOB.app_id, str),
    (_JOB.revision, int),
    (_number(_JOB.intent), Intent),
    (_word(_JOB.state), JobState),
    (_word(_JOB.cancel_reason), CancelReason),
    (func.coalesce(_DEVICE.last_seen_at >= _JOB.finished_at, false()), bool),
    (_JOB.sent_at.is_not(None), bool),
    (_word(_JOB.outcome), Outcome),
    (_JOB.evaluates_only, bool),
    (_JOB.settings_digest, str),
    (_number(_JOB.enforcement_state), EnforcementState),
    (_word(_JOB.next_action_reason), WaitReason),
    (_JOB.waits_for_app_id, str),
    # When a job ended matters where the device only looked, and is to look again.
    (case((_JOB.evaluates_only, _JOB.finished_at)), _moment),
)

_NEWEST: Final = func.max(_REVISION.number)

#: Each app with the revision that is deployed, and the newest.
APPS: Final = (
    select(_APP.id, _APP.name, func.coalesce(_APP.pinned_revision, _NEWEST), _NEWEST)
    .join_from(App.__table__, Revision.__table__, _REVISION.app_id == _APP.id)
    .group_by(_APP.id)
)
RELATIONS: Final = select(_RELATION.app_id, _RELATION.revision, _RELATION.related_app_id, _RELATION.mode).order_by(
    _RELATION.related_app_id
)
ASSIGNMENTS: Final = select(
    _ASSIGNMENT.id,
    _ASSIGNMENT.app_id,
    _ASSIGNMENT.group_id,
    _ASSIGNMENT.intent,
    _ASSIGNMENT.mode,
    _ASSIGNMENT.filter_id,
    _ASSIGNMENT.filter_mode,
    _ASSIGNMENT.start_at,
    _ASSIGNMENT.deadline_at,
    _ASSIGNMENT.time_basis,
    _ASSIGNMENT.settings,
).order_by(_ASSIGNMENT.id)


@AboutDevices
def assignments_to(kind: SelectionKind) -> Select[Any]:
    """The assignments to any group of the devices."""
    own_groups = select(_MEMBER.group_id).where(kind.holds(_MEMBER.device_id))
    return ASSIGNMENTS.where(_ASSIGNMENT.group_id.in_(own_groups))


@AboutDevices
def devices_with_zones(kind: SelectionKind) -> Select[Any]:
    """Each device: whether it is enrolled, and its zone."""
    return _devices(kind, _DEVICE.facts["time_zone"].as_string())


@AboutDevices
def devices_without_zones(kind: SelectionKind) -> Select[Any]:
    """The same with nothing for a zone: facts are long, and mostly nobody asks for it."""
    return _devices(kind, null())


@AboutDevices
def what_devices_say(kind: SelectionKind) -> Select[Any]:
    """What rules look at, of each device."""
    return select(_DEVICE.id, _DEVICE.name, _DEVICE.site, _DEVICE.facts).where(kind.holds(_DEVICE.id))


@AboutDevices
def memberships_of(kind: SelectionKind) -> Select[Any]:
    """The groups of each device, in order."""
    rows = select(_MEMBER.device_id, _MEMBER.group_id).where(kind.holds(_MEMBER.device_id))
    return rows.order_by(_MEMBER.device_id, _MEMBER.group_id)


@AboutDevices
def requests_of(kind: SelectionKind) -> Select[Any]:
    """What was asked for at each device."""
    columns = (_REQUEST.device_id, _REQUEST.app_id, _REQUEST.kind, _REQUEST.requested_at)
    return select(*columns).where(kind.holds(_REQUEST.device_id))


@AboutDevices
def newest_jobs_of(kind: SelectionKind) -> Select[Any]:
    """The newest jobs of each device, in the order of their apps: `JOB_FACTS` after both ids."""
    return (
        select(_JOB.device_id, _JOB.id, *(column for column, _ in JOB_FACTS))
        .join_from(_JOBS, _DEVICES, _DEVICE.id == _JOB.device_id)
        .where(_JOB.is_newest, kind.holds(_JOB.device_id))
        .order_by(_JOB.device_id, _JOB.app_id)
    )
