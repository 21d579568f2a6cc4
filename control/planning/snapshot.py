"""Load what planning looks at: what is the same for all devices once, the devices part by part."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

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

#: Devices that are in memory at a time.
_PART: Final = 2000

_Row = TypeVar("_Row")


def load_fleet(session: Session, now: datetime, device_id: str | None = None) -> Fleet:
    """The whole fleet as it is now, or one device with what concerns it."""
    demand = load_demand(session, now, device_id)
    if device_id is not None:
        return Fleet(demand, tuple(_load_devices(session, demand, device_id, device_id)))
    parts = (fleet.devices for fleet in load_parts(session, demand))
    return Fleet(demand, tuple(device for devices in parts for device in devices))


def load_parts(session: Session, demand: Demand) -> Iterator[Fleet]:
    """The fleet in parts, in the order of the devices' ids; memory is bounded however large it is."""
    after = ""
    while ids := session.scalars(select(Device.id).where(Device.id > after).order_by(Device.id).limit(_PART)).all():
        yield Fleet(demand, tuple(_load_devices(session, demand, ids[0], ids[-1])))
        after = ids[-1]


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
    settings = DeliverySettings.model_validate(row.settings)
    full = Delivery(
        **{name: getattr(settings, name) for name in DeliverySettings.model_fields},
        deadline_at=row.deadline_at,
        deadline_is_local=row.deadline_at is not None and row.time_basis is TimeBasis.LOCAL,
    )
    look = full.model_copy(update={"evaluate_only": True})
    way = Way(full.digest, look.digest)
    deliveries.update({way.full: full, way.look: look})
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


def _load_devices(session: Session, demand: Demand, first_id: str, last_id: str) -> Iterator[DeviceSituation]:
    groups = _by_device(_memberships(session, demand, first_id, last_id))
    jobs = _by_device((job_device, job) for job_device, job in _newest_jobs(session, first_id, last_id))
    holds = _by_device((hold.device_id, hold) for hold in rollout_holds(session, first_id, last_id))
    requests = _by_device(_requests(session, first_id, last_id))
    columns = (Device.id, Device.retired_at.is_(None), Device.facts["time_zone"].as_string())
    rows = select(*columns).where(Device.id.between(first_id, last_id)).order_by(Device.id)
    filters = _matching_filters(session, demand, first_id, last_id)
    for device_id, is_enrolled, time_zone in session.execute(rows):
        yield DeviceSituation(
            device_id=device_id,
            is_enrolled=is_enrolled,
            group_ids=tuple(groups.get(device_id, ())),
            time_zone=time_zone or "UTC",
            matching_filters=filters.get(device_id, frozenset()),
            jobs={job.app_id: job for job in jobs.get(device_id, ())},
            holds={hold.app_id: hold.revision for hold in holds.get(device_id, ())},
            requests=dict(requests.get(device_id, ())),
        )


def _memberships(session: Session, demand: Demand, first_id: str, last_id: str) -> Iterator[tuple[str, str]]:
    rows = (
        select(GroupMember.device_id, GroupMember.group_id)
        .where(GroupMember.device_id.between(first_id, last_id))
        .order_by(GroupMember.group_id)
    )
    return ((device_id, group_id) for device_id, group_id in session.execute(rows) if group_id in demand.assignments)


def _requests(session: Session, first_id: str, last_id: str) -> Iterator[tuple[str, tuple[str, Request]]]:
    columns = (AppRequestRow.device_id, AppRequestRow.app_id, AppRequestRow.kind, AppRequestRow.requested_at)
    rows = select(*columns).where(AppRequestRow.device_id.between(first_id, last_id))
    return ((device_id, (app_id, Request(kind, at))) for device_id, app_id, kind, at in session.execute(rows))


def _newest_jobs(session: Session, first_id: str, last_id: str) -> Iterator[tuple[str, KnownJob]]:
    seen_since = func.coalesce(Device.last_seen_at >= Job.finished_at, false())
    columns: tuple[Any, ...] = (
        Job.id,
        Job.app_id,
        Job.revision,
        Job.intent,
        Job.state,
        Job.cancel_reason,
        seen_since,
        Job.sent_at.is_not(None),
        Job.outcome,
        Job.evaluates_only,
        Job.settings_digest,
        Job.enforcement_state,
        Job.next_action_reason,
        Job.waits_for_app_id,
        Job.finished_at,
    )
    newest = (Job.is_newest, Job.device_id.between(first_id, last_id))
    rows = select(Job.device_id, *columns).join(Device, Device.id == Job.device_id).where(*newest)
    return ((device_id, KnownJob(*fields)) for device_id, *fields in session.execute(rows))


def _matching_filters(session: Session, demand: Demand, first_id: str, last_id: str) -> Mapping[str, frozenset[str]]:
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
    for device_id, name, site, said in session.execute(select(*columns).where(Device.id.between(first_id, last_id))):
        # A row of its own that no session keeps: a large fleet does not fit into one.
        facts = facts_of(Device(id=device_id, name=name, site=site, facts=said))
        matching[device_id] = frozenset(filter_id for filter_id, rule in rules.items() if matches(rule, facts))
    return matching


def _by_device(pairs: Iterator[tuple[str, _Row]]) -> Mapping[str, list[_Row]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for device_id, row in pairs:
        found[device_id].append(row)
    return found
