"""A fleet in memory that plans are written into and whose devices carry them out, with a truth of its own."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from contract.available_apps import AppRequestKind
from contract.jobs import JobState
from contract.states import Intent, Outcome
from control.cancel_reasons import CancelReason
from control.planning.models import (
    AppLine,
    AssignedIntent,
    Demand,
    DeviceSituation,
    Fleet,
    KnownJob,
    Plan,
    Relation,
    Request,
)
from control.planning.plan import plan
from control.relation_mode import RelationMode
from control.targeting import Mode

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
APPS = ("a0", "a1", "a2", "a3", "a4")
DEVICES = ("d0", "d1")
GROUPS = ("g0", "g1")

UNDER_WAY = frozenset({JobState.PLANNED, JobState.SENT, JobState.RUNNING, JobState.WAITING})
LIVE = UNDER_WAY | {JobState.HELD, JobState.CANCELLING}

Place = tuple[str, str]


@dataclass
class SimulatedFleet:
    """What is wanted, what is known, and what is so.

    Attributes:
        revisions: The deployed revision of each app; other revisions have no relations.
        relations: By app: what its deployed revision says of others.
        installed: What is really there, by device and app.
        inapplicable: What is not for the device.
        failing: What fails whenever it is tried.
    """

    assignments: list[AssignedIntent] = field(default_factory=list)
    memberships: AbstractSet[tuple[str, str]] = field(default_factory=frozenset)
    filters: set[tuple[str, str]] = field(default_factory=set)
    revisions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(APPS, 1))
    relations: dict[str, tuple[Relation, ...]] = field(default_factory=dict)
    holds: dict[Place, int | None] = field(default_factory=dict)
    jobs: dict[Place, KnownJob] = field(default_factory=dict)
    installed: set[Place] = field(default_factory=set)
    inapplicable: set[Place] = field(default_factory=set)
    failing: set[Place] = field(default_factory=set)
    retired: set[str] = field(default_factory=set)
    requests: dict[Place, Request] = field(default_factory=dict)
    now: datetime = NOW
    numbers: Iterator[int] = field(default_factory=count)

    def fleet(self) -> Fleet:
        """What planning sees of it."""
        by_group = {group: tuple(one for one in self.assignments if one.group_id == group) for group in GROUPS}
        lines = {app: AppLine(app, revision, revision) for app, revision in self.revisions.items()}
        relations = {(app, self.revisions[app]): related for app, related in self.relations.items()}
        return Fleet(Demand(self.now, by_group, lines, relations), tuple(map(self.situation, DEVICES)))

    def situation(self, device: str) -> DeviceSituation:
        """One device."""
        return DeviceSituation(
            device_id=device,
            is_enrolled=device not in self.retired,
            group_ids=tuple(sorted(group for one, group in self.memberships if one == device)),
            matching_filters=frozenset(name for one, name in self.filters if one == device),
            jobs={app: job for (one, app), job in self.jobs.items() if one == device},
            holds={app: revision for (one, app), revision in self.holds.items() if one == device},
            requests={app: request for (one, app), request in self.requests.items() if one == device},
        )

    def plan(self) -> Plan:
        """Plan, write it down, and hand it out for checks."""
        decided = plan(self.fleet())
        self._write(decided)
        return decided

    def place_of(self, job_id: str) -> Place:
        """Whose job it is."""
        return next(place for place, job in self.jobs.items() if job.job_id == job_id)

    def move(self, place: Place) -> None:
        """The device takes its job one step on: it begins, or comes to what the truth makes of it."""
        job = self.jobs.get(place)
        if job is None:
            return
        if job.state is JobState.CANCELLING:
            self.jobs[place] = replace(job, state=JobState.CANCELLED)
        elif job.state in {JobState.PLANNED, JobState.SENT}:
            self.jobs[place] = replace(job, state=JobState.RUNNING, was_sent=True)
        elif job.state in {JobState.RUNNING, JobState.WAITING}:
            self.jobs[place] = self._carried_out(place, job)

    def move_all(self) -> None:
        """Every device takes every job to its end."""
        for place in sorted(self.jobs):
            self.move(place)
            self.move(place)

    def excluded(self, place: Place) -> bool:
        """Whether the device is excluded from the app."""
        return any(one.mode is Mode.EXCLUDE for one in self.reaching(place))

    def reaching(self, place: Place) -> list[AssignedIntent]:
        """The assignments of the app that reach the device, whatever their start times."""
        device, app = place
        return [
            one
            for one in self.assignments
            if one.app_id == app and (device, one.group_id) in self.memberships and self._passes(device, one)
        ]

    def wanted_by_assignment(self, place: Place) -> Intent:
        """What assignments want now; of an available app, what somebody at the device asked for."""
        if self.excluded(place) or place[0] in self.retired:
            return Intent.NOT_TARGETED
        intents = {one.intent for one in self.reaching(place) if one.start_at is None or one.start_at <= self.now}
        ranked = (Intent.REQUIRED, Intent.UNINSTALL, Intent.AVAILABLE)
        wins = next((intent for intent in ranked if intent in intents), Intent.NOT_TARGETED)
        return self._asked_for(place) if wins is Intent.AVAILABLE else wins

    def _asked_for(self, place: Place) -> Intent:
        """What is done about an available app."""
        if place not in self.requests:
            return Intent.NOT_TARGETED
        is_wanted = self.requests[place].kind is AppRequestKind.INSTALL
        return Intent.AVAILABLE if is_wanted else Intent.UNINSTALL

    def _passes(self, device: str, assignment: AssignedIntent) -> bool:
        if assignment.filter_id is None:
            return True
        return ((device, assignment.filter_id) in self.filters) is (assignment.filter_mode is Mode.INCLUDE)

    def _carried_out(self, place: Place, job: KnownJob) -> KnownJob:
        outcome = self._outcome(place, job)
        if outcome is Outcome.FAILED:
            return replace(job, state=JobState.WAITING, outcome=outcome)
        if outcome is Outcome.INSTALLED:
            self.installed.add(place)
        if outcome is Outcome.UNINSTALLED:
            self.installed.discard(place)
        return replace(job, state=JobState.FINISHED, outcome=outcome, finished_at=self.now)

    def _outcome(self, place: Place, job: KnownJob) -> Outcome:
        is_there = place in self.installed
        if job.intent is Intent.UNINSTALL:
            if not is_there:
                return Outcome.ALREADY_ABSENT
            return Outcome.FAILED if place in self.failing else Outcome.UNINSTALLED
        if is_there:
            return Outcome.ALREADY_INSTALLED
        if place in self.inapplicable:
            return Outcome.NOT_APPLICABLE
        if job.evaluates_only:
            return Outcome.EVALUATED
        return Outcome.FAILED if place in self.failing else Outcome.INSTALLED

    def _write(self, decided: Plan) -> None:
        for place in decided.void:
            del self.requests[place]
        superseded = CancelReason.SUPERSEDED
        for job_id in decided.cancel:
            self._change(job_id, state=JobState.CANCELLED, cancel_reason=superseded)
        for job_id in decided.recall:
            self._change(job_id, state=JobState.CANCELLING, cancel_reason=superseded)
        for job_id in decided.release:
            self._change(job_id, cancel_reason=superseded)
        for changed in (*decided.adjust, *decided.advance):
            want = changed.want
            self._change(changed.job_id, settings_digest=want.settings_digest, evaluates_only=want.evaluates_only)
        for job_id in (*(changed.job_id for changed in decided.advance), *decided.look_again):
            self._change(job_id, state=JobState.PLANNED, finished_at=None, waits_for_app_id=None)
        for mark in decided.marks:
            state = JobState.HELD if mark.held else JobState.FINISHED
            marked = {"enforcement_state": mark.enforcement_state, "waits_for_app_id": mark.waits_for_app_id}
            self._change(mark.job_id, state=state, **marked)
        for new in decided.make:
            want = new.want
            self.jobs[new.device_id, want.app_id] = KnownJob(
                job_id=f"j{next(self.numbers)}",
                app_id=want.app_id,
                revision=want.revision,
                intent=want.intent,
                state=JobState.PLANNED,
                was_sent=False,
                evaluates_only=want.evaluates_only,
                settings_digest=want.settings_digest,
            )

    def _change(self, job_id: str, **changes: object) -> None:
        place = self.place_of(job_id)
        self.jobs[place] = replace(self.jobs[place], **changes)  # type: ignore[arg-type]  # by name


def has_relations(fleet: SimulatedFleet, place: Place) -> bool:
    """Whether the device is to have the revision of the app that is deployed, not one it is held at or has had."""
    job = fleet.jobs.get(place)
    seen = job.revision if job is not None and job.was_sent else 0
    return max(fleet.holds.get(place, fleet.revisions[place[1]]) or 0, seen) == fleet.revisions[place[1]]


def replaced_below(fleet: SimulatedFleet, device: str, app: str) -> set[str]:
    """The apps that have to go before this one is installed on the device."""
    found: set[str] = set()
    seen, pending = {app}, [app]
    while pending:
        one = pending.pop()
        for relation in fleet.relations.get(one, ()) if has_relations(fleet, (device, one)) else ():
            if relation.mode is RelationMode.REPLACE:
                found.add(relation.app_id)
            if not relation.mode.is_dependency and relation.app_id not in seen:
                seen.add(relation.app_id)
                pending.append(relation.app_id)
    return found - {app}


SOON = timedelta(hours=1)
