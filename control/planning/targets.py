"""What assignments want of one device: exclusion first, then filters and start times, then conflicts of intent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contract.available_apps import AppRequestKind
from contract.states import Intent
from control.planning.intents import winning_intent
from control.planning.models import AssignedIntent, Demand, DeviceSituation, Fleet, Request
from control.targeting import Mode, TimeBasis

_AT_ONCE: Final = datetime.min.replace(tzinfo=UTC)
#: Devices name their zones themselves.
_REMEMBERED_ZONES: Final = 1000


class Bearing(StrEnum):
    """What an assignment to one of a device's groups means for the device."""

    WANTS = "wants"
    EXCLUDES = "excludes"
    #: Its filter leaves the device out (behaviour 2.5 Applicability 1010).
    FILTERED = "filtered"
    #: Its start time has not come where the device is.
    NOT_STARTED = "not-started"


@dataclass(frozen=True, slots=True)
class Target:
    """An app that is assigned to a device.

    Attributes:
        intent: The winning one.
        decider: Of the assignments with that intent the most urgent; its settings hold.
    """

    intent: Intent
    decider: AssignedIntent


@dataclass(frozen=True, slots=True)
class Targets:
    """What is assigned to a device, by app, and which apps it is excluded from, whatever else is said of them."""

    assigned: Mapping[str, Target]
    excluded: frozenset[str]


def targets_of(demand: Demand, device: DeviceSituation) -> Targets:
    """What assignments want of the device now."""
    wanting: dict[str, list[AssignedIntent]] = {}
    excluded: set[str] = set()
    for assignment in assignments_of(demand, device):
        match bearing(assignment, device, demand.now):
            case Bearing.EXCLUDES:
                excluded.add(assignment.app_id)
            case Bearing.WANTS:
                wanting.setdefault(assignment.app_id, []).append(assignment)
            case Bearing.FILTERED | Bearing.NOT_STARTED:
                pass
    assigned = {app_id: _target(wanting[app_id]) for app_id in wanting if app_id not in excluded}
    return Targets(assigned, frozenset(excluded))


def pursued(target: Target, request: Request | None) -> Intent:
    """What is done by itself for an assigned app: an available one waits for somebody at the device to ask.

    Required beats whatever was asked for; where nobody has asked, nothing is done (behaviour 2.9).
    """
    if target.intent is not Intent.AVAILABLE:
        return target.intent
    if request is None:
        return Intent.NOT_TARGETED
    return Intent.AVAILABLE if request.kind is AppRequestKind.INSTALL else Intent.UNINSTALL


def void_requests(targets: Targets, device: DeviceSituation) -> Iterable[str]:
    """The apps that were asked for and that the device is not offered any more.

    A request outlives the time that an app is required: nothing would be different afterwards.
    """
    for app_id in device.requests:
        target = targets.assigned.get(app_id)
        if target is None or target.intent is Intent.UNINSTALL:
            yield app_id


def required_devices(fleet: Fleet, app_id: str) -> frozenset[str]:
    """The devices that the app is required on by assignments, whichever revision of it they get."""
    found = ((device, targets_of(fleet.demand, device).assigned.get(app_id)) for device in fleet.devices)
    return frozenset(
        device.device_id
        for device, target in found
        if device.is_enrolled and target is not None and target.intent is Intent.REQUIRED
    )


def assignments_of(demand: Demand, device: DeviceSituation) -> Iterable[AssignedIntent]:
    """The assignments to the groups that the device is in."""
    for group_id in device.group_ids:
        yield from demand.assignments.get(group_id, ())


def bearing(assignment: AssignedIntent, device: DeviceSituation, now: datetime) -> Bearing:
    """What the assignment means for a device of its group; an exclusion has no start: it holds at once."""
    if assignment.filter_id is not None:
        matches = assignment.filter_id in device.matching_filters
        if matches is (assignment.filter_mode is Mode.EXCLUDE):
            return Bearing.FILTERED
    if assignment.mode is Mode.EXCLUDE:
        return Bearing.EXCLUDES
    started = assignment.start_at is None or moment_on(device, assignment.start_at, assignment.time_basis) <= now
    return Bearing.WANTS if started else Bearing.NOT_STARTED


def moment_on(device: DeviceSituation, at: datetime, basis: TimeBasis) -> datetime:
    """The moment that a time of an assignment is on the device; in a zone that nobody knows, UTC."""
    if basis is TimeBasis.UTC:
        return at
    return at.astimezone(UTC).replace(tzinfo=_zone(device.time_zone))


@lru_cache(_REMEMBERED_ZONES)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _target(assignments: list[AssignedIntent]) -> Target:
    intent = winning_intent(assignment.intent for assignment in assignments)
    return Target(intent, min((one for one in assignments if one.intent is intent), key=_urgency))


def _urgency(assignment: AssignedIntent) -> tuple[datetime, str]:
    """Without a deadline it is to be done as soon as possible."""
    return assignment.deadline_at or _AT_ONCE, assignment.assignment_id
