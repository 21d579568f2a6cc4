"""Load what planning looks at: what is the same for all devices once, the devices part by part."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from contract.policy import Delivery, DeliverySettings
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
from control.rollouts.holds import rollout_holds
from control.targeting import Mode, TimeBasis

#: Ways of delivery that are kept read; they are the same at every check-in.
_KEPT_WAYS: Final = 1024
_NO_FILTERS: Final[frozenset[str]] = frozenset()

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Span:
    """Devices that follow each other in the order of their ids, from the first to the last."""

    first_id: str
    last_id: str


def load_fleet(session: Session, now: datetime, device_id: str) -> Fleet:
    """One device as it is now, with what concerns it."""
    demand = load_demand(session, now, device_id)
    return Fleet(demand, tuple(_load_devices(session, demand, Span(device_id, device_id))))


def load_span(session: Session, now: datetime, span: Span) -> Fleet:
    """A part of the fleet as it is now."""
    demand = load_demand(session, now)
    return Fleet(demand, tuple(_load_devices(session, demand, span)))


def next_span(session: Session, after: str, devices: int) -> Span | None:
    """The next so many devices after the one with this id; None where there is no more."""
    ids = session.scalars(select(Device.id).where(Device.id > after).order_by(Device.id).limit(devices)).all()
    return Span(ids[0], ids[-1]) if ids else None


def load_demand(session: Session, now: datetime, device_id: str | None = None) -> Demand:
    """What is wanted of groups, or of the groups of one device, and what can be deployed."""
    rows = select(Assignment)
    if device_id is not None:
        own_groups = select(GroupMember.group_id).where(GroupMember.device_id == device_id)
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


def _load_devices(session: Session, demand: Demand, span: Span) -> Iterator[DeviceSituation]:
    groups = _by_device(_memberships(session, demand, span))
    jobs = _by_device(_newest_jobs(session, span))
    holds = _by_device((hold.device_id, hold) for hold in rollout_holds(session, span.first_id, span.last_id))
    requests = _by_device(_requests(session, span))
    filters = _matching_filters(session, demand, span)
    time_zone = Device.facts["time_zone"].as_string()
    rows = select(Device.id, Device.retired_at.is_(None), time_zone).where(_in(Device.id, span)).order_by(Device.id)
    for device_id, is_enrolled, zone in session.execute(rows):
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


def _in(device_id: InstrumentedAttribute[str], span: Span) -> ColumnElement[bool]:
    return device_id.between(span.first_id, span.last_id)


def _memberships(session: Session, demand: Demand, span: Span) -> Iterator[tuple[str, str]]:
    rows = select(GroupMember.device_id, GroupMember.group_id).where(_in(GroupMember.device_id, span))
    found = session.execute(rows.order_by(GroupMember.device_id, GroupMember.group_id))
    return ((device_id, group_id) for device_id, group_id in found if group_id in demand.assignments)


def _requests(session: Session, span: Span) -> Iterator[tuple[str, tuple[str, Request]]]:
    columns = (AppRequestRow.device_id, AppRequestRow.app_id, AppRequestRow.kind, AppRequestRow.requested_at)
    rows = select(*columns).where(_in(AppRequestRow.device_id, span))
    return ((device_id, (app_id, Request(kind, at))) for device_id, app_id, kind, at in session.execute(rows))


def _newest_jobs(session: Session, span: Span) -> Iterator[tuple[str, KnownJob]]:
    rows = (
        select(Job.device_id, *_FACTS)
        .join(Device, Device.id == Job.device_id)
        .where(Job.is_newest, _in(Job.device_id, span))
        .order_by(Job.device_id, Job.app_id)
    )
    return ((row[0], KnownJob(*row[1:])) for row in session.execute(rows))


#: What `KnownJob` holds, in its order.
_FACTS: Final[tuple[ColumnElement[Any] | InstrumentedAttribute[Any], ...]] = (
    Job.id,
    Job.app_id,
    Job.revision,
    Job.intent,
    Job.state,
    Job.cancel_reason,
    func.coalesce(Device.last_seen_at >= Job.finished_at, false()),
    Job.sent_at.is_not(None),
    Job.outcome,
    Job.evaluates_only,
    Job.settings_digest,
    Job.enforcement_state,
    Job.next_action_reason,
    Job.waits_for_app_id,
    Job.finished_at,
)


def _matching_filters(session: Session, demand: Demand, span: Span) -> Mapping[str, frozenset[str]]:
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
    for device_id, name, site, said in session.execute(select(*columns).where(_in(Device.id, span))):
        # A row of its own that no session keeps: a large fleet does not fit into one.
        facts = facts_of(Device(id=device_id, name=name, site=site, facts=said))
        matching[device_id] = frozenset(filter_id for filter_id, rule in rules.items() if matches(rule, facts))
    return matching


def _by_device(pairs: Iterator[tuple[str, _Row]]) -> Mapping[str, list[_Row]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for device_id, row in pairs:
        found[device_id].append(row)
    return found
