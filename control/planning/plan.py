"""The plan: from assignments to jobs, as a pure function."""

from collections import defaultdict
from collections.abc import Mapping

from contract.jobs import JobState
from contract.states import Intent
from control.live_states import LIVE_STATES
from control.planning.intents import PUSHED, winning_intent
from control.planning.models import Fleet, KnownJob, NewJob, Plan

_Target = tuple[str, str]


def plan(fleet: Fleet) -> Plan:
    """Decide which jobs to make and which to cancel.

    A device needs a job for an app where the newest job is not for the newest revision and the winning intent, or was
    cancelled. Planning what has been planned changes nothing.
    """
    wanted = wanted_jobs(fleet)
    known = {(job.device_id, job.app_id): job for job in fleet.jobs}
    make = (job for target, job in wanted.items() if not _serves(known.get(target), job))
    cancel = (
        job.job_id for target, job in known.items() if job.state in LIVE_STATES and not _serves(job, wanted.get(target))
    )
    return Plan(make=tuple(make), cancel=tuple(cancel))


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
    if job is None or wanted is None or job.state is JobState.CANCELLED:
        return False
    return (job.revision, job.intent) == (wanted.revision, wanted.intent)
