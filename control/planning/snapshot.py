"""Load what planning looks at: what is the same for all devices once, the devices part by part."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from contract.policy import Delivery, DeliverySettings
from control.database.tables import Device, Filter, Group
from control.filters.evaluate import matches
from control.filters.facts import Described, facts_of
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
from control.planning.statements import (
    APPS,
    ASSIGNMENTS,
    JOB_FACTS,
    RELATIONS,
    assignments_to,
    devices_with_zones,
    devices_without_zones,
    memberships_of,
    newest_jobs_of,
    requests_of,
    what_devices_say,
)
from control.rollouts.holds import rollout_holds
from control.targeting import Mode, TimeBasis

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
    # All is read as columns, past the session, which may have something to write yet.
    session.flush()
    deliveries: dict[str, Delivery] = {}
    by_group: defaultdict[str, list[AssignedIntent]] = defaultdict(list)
    rows = session.execute(ASSIGNMENTS) if devices is None else assignments_to.execute(session, devices)
    for row in rows:
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


def _assigned(row: Row[*tuple[Any, ...]], deliveries: dict[str, Delivery]) -> AssignedIntent:
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
    return {app_id: AppLine(name, deployed, last) for app_id, name, deployed, last in session.execute(APPS)}


def _load_relations(session: Session) -> Mapping[tuple[str, int], tuple[Relation, ...]]:
    found: defaultdict[tuple[str, int], list[Relation]] = defaultdict(list)
    for app_id, revision, related_app_id, mode in session.execute(RELATIONS):
        found[app_id, revision].append(Relation(related_app_id, mode))
    return {key: tuple(relations) for key, relations in found.items()}


def _load_devices(session: Session, demand: Demand, devices: Selection) -> Iterator[DeviceSituation]:
    groups = _by_device(_memberships(session, demand, devices))
    jobs = _by_device(_newest_jobs(session, devices))
    holds = _by_device((hold.device_id, hold) for hold in rollout_holds(session, devices))
    requests = _by_device(_requests(session, devices))
    filters = _matching_filters(session, demand, devices)
    rows = devices_with_zones if _has_starts(demand) else devices_without_zones
    for device_id, is_enrolled, zone in rows.execute(session, devices):
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
    found = memberships_of.execute(session, devices)
    return ((device_id, group_id) for device_id, group_id in found if group_id in demand.assignments)


def _requests(session: Session, devices: Selection) -> Iterator[tuple[str, tuple[str, Request]]]:
    found = requests_of.execute(session, devices)
    return ((device_id, (app_id, Request(kind, at))) for device_id, app_id, kind, at in found)


def _newest_jobs(session: Session, devices: Selection) -> Iterator[tuple[str, KnownJob]]:
    # Most jobs of a part are alike but for their ids: what a database writes is made into values once for all of them.
    known: dict[tuple[Any, ...], list[Any]] = {}
    for device_id, job_id, *said in newest_jobs_of.execute(session, devices):
        as_written = tuple(said)
        if as_written not in known:
            known[as_written] = [
                None if value is None else kind(value) for value, (_, kind) in zip(as_written, JOB_FACTS, strict=True)
            ]
        yield device_id, KnownJob(job_id, *known[as_written])


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
    for row in what_devices_say.execute(session, devices):
        facts = facts_of(cast("Described", row))
        matching[row.id] = frozenset(filter_id for filter_id, rule in rules.items() if matches(rule, facts))
    return matching


def _by_device(pairs: Iterator[tuple[str, _Row]]) -> Mapping[str, list[_Row]]:
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for device_id, row in pairs:
        found[device_id].append(row)
    return found
