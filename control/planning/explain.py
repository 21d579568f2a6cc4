"""Why a device is to have an app or not: the chain of reasons, from the same code that plans."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum
from typing import Final

from contract.available_apps import AppRequestKind
from contract.states import Intent
from control.planning.models import AssignedIntent, DeviceSituation, Fleet
from control.planning.plan import subgraph_of
from control.planning.subgraph import Subgraph
from control.planning.targets import Bearing, assignments_of, bearing, moment_on


class ReasonKind(StrEnum):
    """What a reason is about."""

    RETIRED = "retired"
    ASSIGNMENT = "assignment"
    EXCLUSION = "exclusion"
    FILTER = "filter"
    START_TIME = "start-time"
    CONFLICT = "conflict"
    REQUEST = "request"
    PIN = "pin"
    ROLLOUT = "rollout"
    REVISION = "revision"
    RELATION = "relation"
    #: What all this comes to.
    WANTED = "wanted"


@dataclass(frozen=True)
class Reason:
    """One link of the chain.

    Attributes:
        words: The reason for people.
        facts: The same for programs: group, filter, intent, at, revision, app, obstacle, where they apply.
    """

    kind: ReasonKind
    words: str
    facts: Mapping[str, str | int | None] = field(default_factory=dict)


_UNASSIGNED: Final = Reason(ReasonKind.ASSIGNMENT, "no assignment of it reaches the device")


def explain(fleet: Fleet, device_id: str, app_id: str, names: Mapping[str, str]) -> tuple[Reason, ...]:
    """The chain of reasons, from assignments to what is wanted in the end.

    Args:
        fleet: What planning looks at; the device is in it.
        device_id: The device.
        app_id: The app.
        names: The names of groups and filters, by id.

    Raises:
        KeyError: The device is not in the fleet.
    """
    devices = {device.device_id: device for device in fleet.devices}
    subgraph = subgraph_of(fleet.demand, devices[device_id])
    return (
        *_retired(subgraph.device),
        *_assigned(subgraph, app_id, names),
        *_requested(subgraph, app_id),
        *_revision(subgraph, app_id),
        *_related(subgraph, app_id),
        _wanted(subgraph, app_id),
    )


def _retired(device: DeviceSituation) -> Iterator[Reason]:
    if not device.is_enrolled:
        yield Reason(ReasonKind.RETIRED, "the device is retired")


def _assigned(subgraph: Subgraph, app_id: str, names: Mapping[str, str]) -> Iterator[Reason]:
    own = [one for one in assignments_of(subgraph.demand, subgraph.device) if one.app_id == app_id]
    if not own:
        yield _UNASSIGNED
    for assignment in own:
        yield _bearing_of(assignment, subgraph, names)
    target = subgraph.targets.assigned.get(app_id)
    if target is not None and len({one.intent for one in own if _wants(one, subgraph)}) > 1:
        intent = _word(target.intent)
        yield Reason(ReasonKind.CONFLICT, f"of several intents {intent} wins", {"intent": intent})


def _wants(assignment: AssignedIntent, subgraph: Subgraph) -> bool:
    return bearing(assignment, subgraph.device, subgraph.demand.now) is Bearing.WANTS


def _bearing_of(assignment: AssignedIntent, subgraph: Subgraph, names: Mapping[str, str]) -> Reason:
    group = names.get(assignment.group_id, assignment.group_id)
    intent = _word(assignment.intent)
    facts: dict[str, str | int | None] = {"group": group, "intent": intent}
    match bearing(assignment, subgraph.device, subgraph.demand.now):
        case Bearing.WANTS:
            return Reason(ReasonKind.ASSIGNMENT, f"it is {intent} on {group}", facts)
        case Bearing.EXCLUDES:
            words = f"{group} is excluded from it, and exclusion wins"
            return Reason(ReasonKind.EXCLUSION, words, {"group": group})
        case Bearing.FILTERED:
            used = names.get(assignment.filter_id or "", assignment.filter_id)
            words = f"the filter {used} leaves the device out of what is said of {group}"
            return Reason(ReasonKind.FILTER, words, {**facts, "filter": used, "mode": assignment.filter_mode})
        case Bearing.NOT_STARTED:
            return _not_started(assignment, subgraph, facts)


def _not_started(assignment: AssignedIntent, subgraph: Subgraph, facts: Mapping[str, str | int | None]) -> Reason:
    start = assignment.start_at or subgraph.demand.now
    at = moment_on(subgraph.device, start, assignment.time_basis)
    words = f"it is {facts['intent']} on {facts['group']} from {at:%Y-%m-%d %H:%M %Z} on"
    return Reason(ReasonKind.START_TIME, words, {**facts, "at": at.isoformat()})


def _requested(subgraph: Subgraph, app_id: str) -> Iterator[Reason]:
    target, request = subgraph.targets.assigned.get(app_id), subgraph.device.requests.get(app_id)
    if target is None or target.intent is not Intent.AVAILABLE:
        return
    if request is None:
        yield Reason(ReasonKind.REQUEST, "available: nobody at the device has asked for it")
        return
    asked = _REQUESTED[request.kind]
    words = f"available: {asked} at {request.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    yield Reason(ReasonKind.REQUEST, words, {"request": request.kind.value, "at": request.at.isoformat()})


_REQUESTED: Final = {
    AppRequestKind.INSTALL: "asked for",
    AppRequestKind.UNINSTALL: "its removal was asked for",
}


def _revision(subgraph: Subgraph, app_id: str) -> Iterator[Reason]:
    line, device = subgraph.demand.apps.get(app_id), subgraph.device
    if line is None:
        return
    job, held = device.jobs.get(app_id), device.holds.get(app_id, line.revision)
    if app_id in device.holds and held != line.newest:
        words = "a rollout has not reached the device: " + (f"it gets revision {held}" if held else "it gets none yet")
        yield Reason(ReasonKind.ROLLOUT, words, {"revision": held})
    elif app_id not in device.holds and line.revision != line.newest:
        words = f"the app is pinned to revision {line.revision}; the newest is {line.newest}"
        yield Reason(ReasonKind.PIN, words, {"revision": line.revision, "newest": line.newest})
    if job is not None and job.was_sent and job.revision > (held or 0):
        words = f"the device may have seen revision {job.revision} already, and never goes back to a smaller one"
        yield Reason(ReasonKind.REVISION, words, {"revision": job.revision})


def _related(subgraph: Subgraph, app_id: str) -> Iterator[Reason]:
    want = subgraph.wants.get(app_id)
    if app_id in subgraph.superseded:
        top = _name(subgraph, subgraph.superseded[app_id])
        yield Reason(ReasonKind.RELATION, f"{top} takes its place on the device", {"app": top})
    if want is not None and want.for_app_id is not None:
        other = _name(subgraph, want.for_app_id)
        is_removed = want.intent is Intent.UNINSTALL
        words = f"{other} replaces it" if is_removed else f"{other} depends on it"
        yield Reason(ReasonKind.RELATION, words, {"app": other})
    blocked = subgraph.blocked.get(app_id)
    if blocked is not None:
        other = _name(subgraph, blocked.app_id)
        facts: dict[str, str | int | None] = {"app": other, "obstacle": blocked.obstacle.value}
        yield Reason(ReasonKind.RELATION, blocked.obstacle.sentence(other), facts)


def _wanted(subgraph: Subgraph, app_id: str) -> Reason:
    want = subgraph.wants.get(app_id)
    if want is None:
        return Reason(ReasonKind.WANTED, "nothing of it is wanted on the device")
    intent = "a dependency" if want.intent is Intent.NOT_TARGETED else _word(want.intent)
    look = "; for now the device only looks" if want.evaluates_only else ""
    words = f"revision {want.revision} is wanted, {intent}{look}"
    return Reason(ReasonKind.WANTED, words, {"revision": want.revision, "intent": _word(want.intent)})


def _name(subgraph: Subgraph, app_id: str) -> str:
    line = subgraph.demand.apps.get(app_id)
    return app_id if line is None else line.name


def _word(intent: Intent) -> str:
    return intent.name.lower().replace("_", "-")
