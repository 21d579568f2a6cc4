"""Load what planning looks at: what is the same for all devices once, the devices part by part."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from sqlalchemy import ColumnElement, Integer, String, case, false, func, null, select, type_coerce
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.policy import Delivery, DeliverySettings
from contract.report import WaitReason
from contract.states import EnforcementState, Intent, Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import (
    App,
    AppRequestRow,
    Assignment,
    Device,
    Filter,
    Group,
    GroupMember,
    Job,
    RelationRow,
    Revision,
)
from control.filters.evaluate import matches
from control.filters.facts import facts_of
from control.filters.parse import parse_rule
from control.planning.models import (
    AppLine,
    AssignedIntent,
    Demand,
    DeviceSituation,
    Fleet,
    KnownJob,
    Relation,
    Request,
    Way,
)
from control.planning.selection import Selection, Span, Those
from control.rollouts.holds import rollout_holds
from control.targeting import Mode, TimeBasis

if TYPE_CHECKING:
    from sqlalchemy import Table

#: Ways of delivery that are kept read; they are the same at every check-in.
_KEPT_WAYS: Final = 1024
_NO_FILTERS: Final[frozenset[str]] = frozenset()

_Row = TypeVar("_Row")


def load_fleet(session: Session, now: datetime, *device_ids: str) -> Fleet:
    """Some devices as they are now, with what concerns them."""
    those = Those(device_ids)
    demand = load_demand(session, now, those)
    return Fleet(demand, tuple(_load_devices(session, demand, those)))


def load_span(session: Session, now: datetime, span: Span) -> Fleet:
    """A part of the fleet as it is now."""
    demand = load_demand(session, now)
    return Fleet(demand, tuple(_load_devices(session, demand, span)))


def next_span(session: Session, after: str, devices: int) -> Span | None:
    """The next so many devices after the one with this id; None where there is no more."""
    ids = session.scalars(select(Device.id).where(Device.id > after).order_by(Device.id).limit(devices)).all()
    return Span(ids[0], ids[-1]) if ids else None


def load_demand(session: Session, now: datetime, devices: Those | None = None) -> Demand:
    """What is wanted of groups, or of the groups of these devices, and what can be deployed."""
    rows = select(Assignment)
    if devices is not None:
        own_groups = select(GroupMember.group_id).where(devices.holds(GroupMember.device_id))
        rows = rows.where(Assignment.group_id.in_(own_groups))
    deliveries: dict[str, Delivery] = {}
    by_group: defaultdict[str, list[AssignedIntent]] = defaultdict(list)
    for row in session.scalars(rows.order_by(Assignment.id)):
        by_group[row.group_id].append(_assigned(row, deliveries))
    return Demand(
        now=now,
        assignments={group_id: tuple(assigned) for group_id, assigned in by_group.items()},
        apps=_load_apps(session),
        relations=_load_relations(session),
        deliveries={Way().look: Delivery(evaluate_only=True), **deliveries},
    )


def load_names(session: Session, demand: Demand) -> Mapping[str, str]:
    """The names of the groups and filters that the assignments are about, by id."""
    assigned = [one for group in demand.assignments.values() for one in group]
    groups = select(Group.id, Group.name).where(Group.id.in_({one.group_id for one in assigned}))
    filters = select(Filter.id, Filter.name).where(Filter.id.in_({one.filter_id for one in assigned if one.filter_id}))
    return {**dict(session.execute(groups).all()), **dict(session.execute(filters).all())}


def _assigned(row: Assignment, deliveries: dict[str, Delivery]) -> AssignedIntent:
    is_local = row.deadline_at is not None and row.time_basis is TimeBasis.LOCAL
    way, delivered = _way(json.dumps(row.settings, sort_keys=True), row.deadline_at, is_local)
    deliveries.update(delivered)
    return AssignedIntent(
        app_id=row.app_id,
        group_id=row.group_id,
        intent=row.intent,
        assignment_id=row.id,
        mode=row.mode,
        filter_id=row.filter_id,
        filter_mode=row.filter_mode or Mode.INCLUDE,
        start_at=row.start_at,
        deadline_at=row.deadline_at,
        time_basis=row.time_basis,
        way=way,
    )


@lru_cache(_KEPT_WAYS)
def _way(settings: str, deadline_at: datetime | None, is_local: bool) -> tuple[Way, Mapping[str, Delivery]]:
    """The way of delivery that settings (as JSON) and a deadline make, and what its digests stand for."""
    said = DeliverySettings.model_validate_json(settings)
    full = Delivery(
        **{name: getattr(said, name) for name in DeliverySettings.model_fields},
        deadline_at=deadline_at,
        deadline_is_local=is_local,
    )
    look = full.model_copy(update={"evaluate_only": True})
    way = Way(full.digest, look.digest)
    return way, {way.full: full, way.look: look}


def _load_apps(session: Session) -> Mapping[str, AppLine]:
    newest = func.max(Revision.number)
    columns = (App.id, App.name, func.coalesce(App.pinned_revision, newest), newest)
    rows = select(*columns).join(Revision, Revision.app_id == App.id).group_by(App.id)
    return {app_id: AppLine(name, deployed, last) for app_id, name, deployed, last in session.execute(rows)}


def _load_relations(session: Session) -> Mapping[tuple[str, int], tuple[Relation, ...]]:
    rows = select(RelationRow.app_id, RelationRow.revision, RelationRow.related_app_id, RelationRow.mode)
    found: defaultdict[tuple[str, int], list[Relation]] = defaultdict(list)
    for app_id, revision, related_app_id, mode in session.execute(rows.order_by(RelationRow.related_app_id)):
        found[app_id, revision].append(Relation(related_app_id, mode))
    return {key: tuple(relations) for key, relations in found.items()}


def _load_devices(session: Session, demand: Demand, devices: Selection) -> Iterator[DeviceSituation]:
    groups = _by_device(_memberships(session, demand, devices))
    jobs = _by_device(_newest_jobs(session, devices))
    holds = _by_device((hold.device_id, hold) for hold in rollout_holds(session, devices))
    requests = _by_device(_requests(session, devices))
    filters = _matching_filters(session, demand, devices)
    # Facts are long, and mostly nobody asks for their zone.
    time_zone = _DEVICE.facts["time_zone"].as_string() if _has_starts(demand) else null()
    rows = select(_DEVICE.id, _DEVICE.retired_at.is_(None), time_zone).where(devices.holds(_DEVICE.id))
    for device_id, is_enrolled, zone in session.execute(rows.order_by(_DEVICE.id)):
        yield DeviceSituation(
            device_id,
            is_enrolled,
            tuple(groups.get(device_id, ())),
            zone or "UTC",
            filters.get(device_id, _NO_FILTERS),
            {job.app_id: job for job in jobs.get(device_id, ())},
            {hold.app_id: hold.revision for hold in holds.get(device_id, ())},
            dict(requests.get(device_id, ())),
        )


def _has_starts(demand: Demand) -> bool:
    return any(one.start_at for assigned in demand.assignments.values() for one in assigned)


def _memberships(session: Session, demand: Demand, devices: Selection) -> Iterator[tuple[str, str]]:
    rows = select(_MEMBER.device_id, _MEMBER.group_id).where(devices.holds(_MEMBER.device_id))
    found = session.execute(rows.order_by(_MEMBER.device_id, _MEMBER.group_id))
    return ((device_id, group_id) for device_id, group_id in found if group_id in demand.assignments)


def _requests(session: Session, devices: Selection) -> Iterator[tuple[str, tuple[str, Request]]]:
    columns = (AppRequestRow.device_id, AppRequestRow.app_id, AppRequestRow.kind, AppRequestRow.requested_at)
    rows = select(*columns).where(devices.holds(AppRequestRow.device_id))
    return ((device_id, (app_id, Request(kind, at))) for device_id, app_id, kind, at in session.execute(rows))


def _newest_jobs(session: Session, devices: Selection) -> Iterator[tuple[str, KnownJob]]:
    rows = (
        select(_JOB.device_id, _JOB.id, *(column for column, _ in _FACTS))
        .join_from(_JOBS, _DEVICES, _DEVICE.id == _JOB.device_id)
        .where(_JOB.is_newest, devices.holds(_JOB.device_id))
        .order_by(_JOB.device_id, _JOB.app_id)
    )
    # Most jobs of a part are alike but for their ids: what a database writes is made into values once for all of them.
    known: dict[tuple[Any, ...], list[Any]] = {}
    for device_id, job_id, *said in session.execute(rows):
        as_written = tuple(said)
        if as_written not in known:
            known[as_written] = [
                None if value is None else kind(value) for value, (_, kind) in zip(as_written, _FACTS, strict=True)
            ]
        yield device_id, KnownJob(job_id, *known[as_written])


_JOBS: Final = cast("Table", Job.__table__)
_JOB: Final = _JOBS.c
_DEVICES: Final = cast("Table", Device.__table__)
_DEVICE: Final = _DEVICES.c
_MEMBER: Final = cast("Table", GroupMember.__table__).c


def _word(column: ColumnElement[Any]) -> ColumnElement[str]:
    return type_coerce(column, String)


def _number(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, Integer)


def _moment(at: datetime) -> datetime:
    return at


#: What `KnownJob` holds after the id, in its order: as a database writes it, and what that is made into.
_FACTS: Final[tuple[tuple[ColumnElement[Any], Callable[[Any], Any]], ...]] = (
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


def _matching_filters(session: Session, demand: Demand, devices: Selection) -> Mapping[str, frozenset[str]]:
    """The filters that assignments name, for each device that any of them matches."""
    named = {one.filter_id for assigned in demand.assignments.values() for one in assigned if one.filter_id is not None}
    if not named:
        return {}
    rules = {
        found.id: parse_rule(found.rule, place=f"filter {found.name}")
        for found in session.scalars(select(Filter).where(Filter.id.in_(sorted(named))))
    }
    matching: dict[str, frozenset[str]] = {}
    columns = (Device.id, Device.name, Device.site, Device.facts)
    for device_id, name, site, said in session.execute(select(*columns).where(devices.holds(Device.id))):
        # A row of its own that no session keeps: a large fleet does not fit into one.
        facts = facts_of(Device(id=device_id, name=name, site=site, facts=said))
        matching[device_id] = frozenset(filter_id for filter_id, rule in rules.items() if matches(rule, facts))
    return matching


def _by_device(pairs: Iterator[tuple[str, _Row]]) -> Mapping[str, list[_Row]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for device_id, row in pairs:
        found[device_id].append(row)
    return found
