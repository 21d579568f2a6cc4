"""Which devices a rollout is for: those that are to have its app, as planning judges it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import select
from sqlalchemy.orm import Session

from contract.available_apps import AppRequestKind
from contract.states import Intent
from control.database.tables import AppRequestRow, Device, Filter, Group, GroupMember
from control.filters.evaluate import matches
from control.filters.facts import facts_of
from control.filters.parse import parse_rule
from control.planning.models import AssignedIntent, Demand, DeviceSituation
from control.planning.snapshot import load_demand
from control.planning.targets import targets_of
from control.rollouts.ring_sizing import Candidate
from control.rollouts.spec import RolloutSpec

#: Devices whose facts are in memory at a time.
_PART: Final = 1000

_NO_FILTERS: Final[frozenset[str]] = frozenset()

#: All that assignments look at: a device's groups, time zone and matching filters. Many devices share the same.
_Circumstances: TypeAlias = tuple[tuple[str, ...], str, frozenset[str]]


def wanting_devices(session: Session, app_id: str, now: datetime) -> frozenset[str]:
    """The devices that are to have the app in some revision: it is required there, or somebody there asked for it."""
    demand = _demand_for(load_demand(session, now), app_id)
    groups = _memberships(session, demand.assignments)
    filters = _matching_filters(session, demand, groups)
    asked = _asking(session, app_id)
    verdicts: dict[_Circumstances, Intent] = {}
    wanting: set[str] = set()
    for device_id, time_zone in _enrolled(session, demand):
        if device_id in groups:
            own = (tuple(groups[device_id]), time_zone or "UTC", filters.get(device_id, _NO_FILTERS))
            if own not in verdicts:
                verdicts[own] = _intent(demand, app_id, own)
            if verdicts[own] is Intent.REQUIRED or (verdicts[own] is Intent.AVAILABLE and device_id in asked):
                wanting.add(device_id)
    return frozenset(wanting)


def candidates(session: Session, app_id: str, spec: RolloutSpec, now: datetime) -> tuple[Candidate, ...]:
    """The same with the groups that the rings name."""
    groups = groups_of_devices(session, {group for ring in spec.rings for group in ring.groups})
    devices = sorted(wanting_devices(session, app_id, now))
    return tuple(Candidate(device_id, groups.get(device_id, frozenset())) for device_id in devices)


def groups_of_devices(session: Session, names: Collection[str]) -> Mapping[str, frozenset[str]]:
    """Which of these groups each device is in that is in any."""
    found: defaultdict[str, frozenset[str]] = defaultdict(frozenset)
    members = select(GroupMember.device_id, Group.name).join(Group, Group.id == GroupMember.group_id)
    for device_id, name in session.execute(members.where(Group.name.in_(sorted(names)))):
        found[device_id] |= {name}
    return found


def _demand_for(demand: Demand, app_id: str) -> Demand:
    own = {
        group_id: tuple(one for one in assigned if one.app_id == app_id)
        for group_id, assigned in demand.assignments.items()
    }
    return replace(demand, assignments={group_id: assigned for group_id, assigned in own.items() if assigned})


def _asking(session: Session, app_id: str) -> frozenset[str]:
    """The devices where somebody asked for the app last, not for its removal."""
    wanted = (AppRequestRow.app_id == app_id, AppRequestRow.kind == AppRequestKind.INSTALL)
    return frozenset(session.scalars(select(AppRequestRow.device_id).where(*wanted)))


def _intent(demand: Demand, app_id: str, own: _Circumstances) -> Intent:
    group_ids, time_zone, filters = own
    anyone = DeviceSituation("", group_ids=group_ids, time_zone=time_zone, matching_filters=filters)
    target = targets_of(demand, anyone).assigned.get(app_id)
    return Intent.NOT_TARGETED if target is None else target.intent


def _memberships(session: Session, group_ids: Collection[str]) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    rows = select(GroupMember.device_id, GroupMember.group_id).where(GroupMember.group_id.in_(sorted(group_ids)))
    for device_id, group_id in session.execute(rows.order_by(GroupMember.group_id)):
        found[device_id].append(group_id)
    return found


def _enrolled(session: Session, demand: Demand) -> Iterator[tuple[str, str | None]]:
    """Devices that are enrolled, with their time zones where a start time asks for them."""
    if any(one.start_at for one in _assignments(demand)):
        time_zone = Device.facts["time_zone"].as_string()
        yield from session.execute(select(Device.id, time_zone).where(Device.retired_at.is_(None)))
    else:
        for device_id in session.scalars(select(Device.id).where(Device.retired_at.is_(None))):
            yield device_id, None


def _matching_filters(session: Session, demand: Demand, devices: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The filters that match a device, of those that the assignments name."""
    named = sorted({one.filter_id for one in _assignments(demand) if one.filter_id is not None})
    if not named:
        return {}
    rows = session.scalars(select(Filter).where(Filter.id.in_(named)))
    rules = {found.id: parse_rule(found.rule, place=f"filter {found.name}") for found in rows}
    matching: dict[str, frozenset[str]] = {}
    for device in session.scalars(select(Device).execution_options(yield_per=_PART)):
        if device.id in devices:
            facts = facts_of(device)
            matching[device.id] = frozenset(filter_id for filter_id, rule in rules.items() if matches(rule, facts))
    return matching


def _assignments(demand: Demand) -> Iterator[AssignedIntent]:
    for assigned in demand.assignments.values():
        yield from assigned
