"""The plan: from assignments and relations to jobs, as a pure function."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Final, Self

from contract.jobs import JobState
from contract.states import Outcome
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.live_states import WANTED_STATES
from control.planning.alike import likeness
from control.planning.marks import mark_of, mark_of_unwanted
from control.planning.models import Changed, Demand, DeviceSituation, Fleet, KnownJob, Mark, NewJob, Plan, Want
from control.planning.standing import ON_DEVICE, holds_its_place, may_advance, serves
from control.planning.subgraph import Subgraph
from control.planning.targets import targets_of, void_requests

#: An app that others depend on, and that is not to be installed, is looked for so often: as often as devices check in
#: by default (behaviour N-01).
LOOK_AGAIN_AFTER: Final = timedelta(hours=1)


def plan(fleet: Fleet) -> Plan:
    """Decide which jobs to make, to change and to cancel.

    A device needs a job for an app where the newest job is not for the revision and the intent that are wanted. While a
    job that is no longer wanted is running on a device, the device is told to let go of it, and the new job is made
    when it has: no device ever works on two jobs for one app. A job that an operator cancelled keeps its place for as
    long as the same is wanted, and so does one that expired until its device is seen again. Planning what has been
    planned changes nothing.
    """
    decisions = _Decisions()
    only_new: dict[Hashable, tuple[NewJob, ...]] = {}
    for device in fleet.devices:
        same = likeness(device)
        if same is not None and same in only_new:
            decisions.make += (_for_device(new, device) for new in only_new[same])
            continue
        own = _Decisions()
        own.decide(subgraph_of(fleet.demand, device))
        if same is not None and own.only_makes:
            only_new[same] = tuple(own.make)
        decisions.add(own)
    return decisions.as_plan()


def _for_device(new: NewJob, device: DeviceSituation) -> NewJob:
    job = device.jobs.get(new.want.app_id)
    return NewJob(device.device_id, new.want, new.reason, None if job is None else job.job_id)


def subgraph_of(demand: Demand, device: DeviceSituation) -> Subgraph:
    """What is wanted of one device, and why not more."""
    subgraph = Subgraph(demand, device, targets_of(demand, device))
    subgraph.resolve()
    return subgraph


def wanted_jobs(fleet: Fleet) -> Mapping[tuple[str, str], Want]:
    """What each device should have got by now, by device and app."""
    return {
        (device.device_id, want.app_id): want
        for device in fleet.devices
        for want in subgraph_of(fleet.demand, device).wants.values()
    }


@dataclass
class _Decisions:
    make: list[NewJob] = field(default_factory=list)
    cancel: list[str] = field(default_factory=list)
    recall: list[str] = field(default_factory=list)
    release: list[str] = field(default_factory=list)
    advance: list[Changed] = field(default_factory=list)
    adjust: list[Changed] = field(default_factory=list)
    look_again: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    void: list[tuple[str, str]] = field(default_factory=list)

    def decide(self, subgraph: Subgraph) -> None:
        """Decide for one device."""
        for app_id, job in subgraph.device.jobs.items():
            want = subgraph.wants.get(app_id)
            if want is not None and serves(job, want):
                self._keep(job, want, subgraph)
            else:
                self._end(job, subgraph)
        self.make += _new_jobs(subgraph)
        if subgraph.device.is_enrolled:
            device = subgraph.device
            self.void += ((device.device_id, app_id) for app_id in void_requests(subgraph.targets, device))

    @property
    def only_makes(self) -> bool:
        """Whether nothing was decided but to make jobs, or nothing at all."""
        return not any(getattr(self, name) for name in _KINDS if name != "make")

    def add(self, other: Self) -> None:
        """Decide the same as well."""
        for name in _KINDS:
            getattr(self, name).extend(getattr(other, name))

    def as_plan(self) -> Plan:
        """What was decided for all devices."""
        return Plan(**{name: tuple(getattr(self, name)) for name in _KINDS})

    def _keep(self, job: KnownJob, want: Want, subgraph: Subgraph) -> None:
        if may_advance(job, want):
            self.advance.append(Changed(job.job_id, want))
            return
        if _is_to_look_again(job, want, subgraph.demand.now):
            self.look_again.append(job.job_id)
            return
        self._mark(mark_of(job, subgraph))
        is_so_delivered = job.settings_digest == want.settings_digest
        if job.state in WANTED_STATES and job.evaluates_only == want.evaluates_only and not is_so_delivered:
            self.adjust.append(Changed(job.job_id, want))

    def _end(self, job: KnownJob, subgraph: Subgraph) -> None:
        if job.state in WANTED_STATES:
            # One that has been retired will never answer.
            is_asked_first = job.state in ON_DEVICE and subgraph.device.is_enrolled
            (self.recall if is_asked_first else self.cancel).append(job.job_id)
        elif holds_its_place(job):
            self.release.append(job.job_id)
        else:
            self._mark(mark_of_unwanted(job, subgraph))

    def _mark(self, mark: Mark | None) -> None:
        if mark is not None:
            self.marks.append(mark)


#: The kinds of decisions, by their names in `Plan`.
_KINDS: Final = tuple(kind.name for kind in fields(Plan))


def _new_jobs(subgraph: Subgraph) -> Iterator[NewJob]:
    for app_id, want in subgraph.wants.items():
        job = subgraph.device.jobs.get(app_id)
        if not serves(job, want) and (job is None or job.state not in ON_DEVICE):
            yield NewJob(subgraph.device.device_id, want, _reason(job, want), None if job is None else job.job_id)


def _is_to_look_again(job: KnownJob, want: Want, now: datetime) -> bool:
    looked = job.state is JobState.FINISHED and job.outcome is Outcome.EVALUATED and want.evaluates_only
    return looked and job.finished_at is not None and job.finished_at + LOOK_AGAIN_AFTER <= now


def _reason(job: KnownJob | None, want: Want) -> GenerationReason:
    if job is None:
        return GenerationReason.PLANNED
    if job.cancel_reason is CancelReason.EXPIRED:
        return GenerationReason.RESTORED
    return GenerationReason.PLANNED if _is_for(job, want) else GenerationReason.REVISION


def _is_for(job: KnownJob, want: Want) -> bool:
    return (job.revision, job.intent) == (want.revision, want.intent)
