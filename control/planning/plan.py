"""The plan: from assignments to jobs, as a pure function."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from contract.jobs import JobState
from contract.states import Intent
from contract.uplink import GenerationReason
from control.cancel_reasons import CancelReason
from control.live_states import WANTED_STATES
from control.planning.intents import PUSHED, winning_intent
from control.planning.models import Fleet, KnownJob, NewJob, Plan

_Target = tuple[str, str]


#: Something of a job in one of these states may be running on its device this very moment.
_ON_DEVICE: Final = (JobState.RUNNING, JobState.CANCELLING)


def plan(fleet: Fleet) -> Plan:
    """Decide which jobs to make and which to cancel.

    A device needs a job for an app where the newest job is not for the newest revision and the winning intent. While a
    job that is no longer wanted is running on a device, the device is told to let go of it, and the new job is made
    when it has: no device ever works on two jobs for one app. A job that an operator cancelled keeps its place for as
    long as the same is wanted, and so does one that expired until its device is seen again. Planning what has been
    planned changes nothing.
    """
    wanted = wanted_jobs(fleet)
    known = {(job.device_id, job.app_id): job for job in fleet.jobs}
    make = (
        replace(job, reason=_reason(known.get(target), job))
        for target, job in wanted.items()
        if not _serves(known.get(target), job) and not _is_in_the_way(known.get(target))
    )
    unwanted = [job for target, job in known.items() if not _serves(job, wanted.get(target))]
    live = [job for job in unwanted if job.state in WANTED_STATES]
    return Plan(
        make=tuple(make),
        cancel=tuple(job.job_id for job in live if not _must_be_recalled(job, fleet)),
        recall=tuple(job.job_id for job in live if _must_be_recalled(job, fleet)),
        release=tuple(job.job_id for job in unwanted if _holds(job)),
    )


def wanted_jobs(fleet: Fleet) -> Mapping[_Target, NewJob]:
    """What each device should have got by now, for each app that is pushed to it."""
    wanted: dict[_Target, NewJob] = {}
    for (device_id, app_id), intents in _intents(fleet).items():
        intent = winning_intent(intents)
        revision = fleet.newest_revisions.get(app_id)
        if intent in PUSHED and revision is not None and device_id in fleet.devices:
            wanted[device_id, app_id] = NewJob(device_id, app_id, revision, intent)
    return wanted


def _intents(fleet: Fleet) -> Mapping[_Target, set[Intent]]:
    members: defaultdict[str, list[str]] = defaultdict(list)
    for membership in fleet.memberships:
        members[membership.group_id].append(membership.device_id)
    intents: defaultdict[_Target, set[Intent]] = defaultdict(set)
    for assignment in fleet.assignments:
        for device_id in members[assignment.group_id]:
            intents[device_id, assignment.app_id].add(assignment.intent)
    return intents


def _serves(job: KnownJob | None, wanted: NewJob | None) -> bool:
    if job is None or wanted is None or (job.state is JobState.CANCELLED and not _holds(job)):
        return False
    return (job.revision, job.intent) == (wanted.revision, wanted.intent)


def _holds(job: KnownJob) -> bool:
    """Whether a job that is void keeps others from being made."""
    expired_for_good = job.cancel_reason is CancelReason.EXPIRED and not job.seen_since
    return job.state is JobState.CANCELLED and (expired_for_good or job.cancel_reason is CancelReason.OPERATOR)


def _is_in_the_way(job: KnownJob | None) -> bool:
    return job is not None and job.state in _ON_DEVICE


def _must_be_recalled(job: KnownJob, fleet: Fleet) -> bool:
    """Whether the device is asked first; one that has been retired will never answer."""
    return job.state in _ON_DEVICE and job.device_id in fleet.devices


def _reason(known: KnownJob | None, job: NewJob) -> GenerationReason:
    if known is None:
        return GenerationReason.PLANNED
    if known.cancel_reason is CancelReason.EXPIRED:
        return GenerationReason.RESTORED
    is_other = (known.revision, known.intent) != (job.revision, job.intent)
    return GenerationReason.REVISION if is_other else GenerationReason.PLANNED
