"""What relations make of jobs that their devices have ended: held, with the app they wait for, or a state of their own.

| the job | and | then it is |
|---|---|---|
| has looked, the app is not there | other apps come first | held, with the obstacle's state |
| has looked, the app is not there | it was only to look | finished, 6004 |
| ended, the app is there | other apps are not as they should be | finished, with the obstacle's state |
| ended, the app is there | other apps are as they should be again | finished, 1000 |
| ended, the app is there | another app has taken its place | finished, 1014 |
| ended, the app was uninstalled for another one | | finished, 1016 |
"""

from typing import Final

from contract.jobs import JobState
from contract.states import EnforcementState, Outcome
from control.planning.models import Demand, KnownJob, Mark, Want
from control.planning.obstacles import Blocked, Obstacle
from control.planning.subgraph import Subgraph

#: States that only relations give to an app that is there.
_SUFFERED: Final = frozenset(obstacle.succeeded for obstacle in Obstacle) | {
    EnforcementState.SUCCESS_SUPERSEDING_APPS_DETECTED
}

_INSTALLED: Final = frozenset({Outcome.INSTALLED, Outcome.ALREADY_INSTALLED})


def mark_of(job: KnownJob, subgraph: Subgraph) -> Mark | None:
    """What relations make of a job that stays; None where it is so already, or they make nothing of it."""
    return _unless_so_already(job, _mark(job, subgraph))


def mark_of_unwanted(job: KnownJob, subgraph: Subgraph) -> Mark | None:
    """What relations make of a job that nobody wants any more; None where it is so already, or nothing."""
    top = subgraph.superseded.get(job.app_id)
    if top is None or not _is_there(job) or not _is_there(subgraph.device.jobs.get(top)):
        return None
    return _unless_so_already(job, Mark(job.job_id, EnforcementState.SUCCESS_SUPERSEDING_APPS_DETECTED, held=False))


def _unless_so_already(job: KnownJob, mark: Mark | None) -> Mark | None:
    if mark is None:
        return None
    now = (job.enforcement_state, job.state is JobState.HELD, job.waits_for_app_id)
    return None if now == (mark.enforcement_state, mark.held, mark.waits_for_app_id) else mark


def _mark(job: KnownJob, subgraph: Subgraph) -> Mark | None:
    blocked = subgraph.blocked.get(job.app_id)
    if job.outcome is Outcome.EVALUATED and job.state in {JobState.FINISHED, JobState.HELD}:
        if blocked is not None:
            return _blocked(job, blocked, subgraph.demand, held=True)
        return Mark(job.job_id, EnforcementState.NOT_ATTEMPTED_AUTO_INSTALL_OFF, held=False)
    if _is_there(job):
        if blocked is not None:
            return _blocked(job, blocked, subgraph.demand, held=False)
        suffered = job.enforcement_state in _SUFFERED
        return Mark(job.job_id, EnforcementState.SUCCESS, held=False) if suffered else None
    return _removed(job, subgraph.wants[job.app_id])


def _blocked(job: KnownJob, blocked: Blocked, demand: Demand, *, held: bool) -> Mark:
    state = blocked.obstacle.not_attempted if held else blocked.obstacle.succeeded
    words = blocked.obstacle.sentence(demand.apps[blocked.app_id].name)
    return Mark(job.job_id, state, held, blocked.app_id, words)


def _removed(job: KnownJob, want: Want) -> Mark | None:
    removed = job.state is JobState.FINISHED and job.outcome is Outcome.UNINSTALLED and want.for_app_id is not None
    return Mark(job.job_id, EnforcementState.SUCCESS_APP_REMOVED_BY_SUPERSEDENCE, held=False) if removed else None


def _is_there(job: KnownJob | None) -> bool:
    return job is not None and job.state is JobState.FINISHED and job.outcome in _INSTALLED
