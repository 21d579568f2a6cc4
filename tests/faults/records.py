"""What installers wrote down of their own runs, and what follows from it: the judge of every trial.

Each run of the trials' installer appends `begin <job>/<generation>/<attempt> <app> <absent|present>` to a file outside
the agent's state before it does anything, then makes its app's marker, then appends `end ...`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.jobs import JobState
from control.views.jobs import JobView

#: Waiting for one of these needs no reason: somebody is at work on it, or nothing more is to be done.
_AT_WORK = (JobState.RUNNING, JobState.FINISHED, JobState.CANCELLED)


@dataclass(frozen=True)
class Run:
    """One line of an installer.

    Attributes:
        attempt: `<job>/<generation>/<attempt>`.
        there: Whether the app's marker was there already.
    """

    event: str
    attempt: str
    app: str
    there: bool


def read_runs(path: Path) -> list[Run]:
    """All lines of a record file that are complete."""
    if not path.exists():
        return []
    whole, _, _ = path.read_text(encoding="utf-8").rpartition("\n")
    lines = whole.splitlines()
    fields = [line.split() for line in lines]
    return [Run(event, attempt, app, there == "present") for event, attempt, app, there in fields]


def installed_twice(runs: Iterable[Run]) -> list[str]:
    """What was begun twice in one attempt, or begun although its app was there; a sentence each."""
    begun = [run for run in runs if run.event == "begin"]
    attempts = Counter((run.attempt, run.app) for run in begun)
    repeated = [f"{app}: {count} runs in attempt {attempt}" for (attempt, app), count in attempts.items() if count > 1]
    needless = [f"{run.app}: run in attempt {run.attempt} although it was there" for run in begun if run.there]
    return repeated + needless


def lost(wanted: Mapping[str, Sequence[str]], jobs: Iterable[JobView]) -> list[str]:
    """Which apps did not end as installed; a sentence each.

    Args:
        wanted: The apps by the devices' names.
        jobs: The newest job of each device and app.
    """
    known = {(job.device, job.app): job for job in jobs}
    found = []
    for device, apps in wanted.items():
        for app in apps:
            job = known.get((device, app))
            if job is None:
                found.append(f"{app} on {device}: no job")
            elif not is_installed(job):
                found.append(f"{app} on {device}: {job.state}, {job.outcome}, generation {job.generation}")
    return found


def is_installed(job: JobView) -> bool:
    """Whether the job ended as it should."""
    return job.state is JobState.FINISHED and job.outcome is not None and job.outcome.as_desired


def without_reason(jobs: Iterable[JobView]) -> list[str]:
    """Which jobs wait and nobody says for what; a sentence each."""
    return [f"{job.app} on {job.device}: {job.state}" for job in jobs if not _has_reason(job)]


def _has_reason(job: JobView) -> bool:
    if job.state is JobState.WAITING:
        return job.next_action_at is not None and job.next_action_reason is not None and bool(job.next_action)
    return job.state in _AT_WORK or bool(job.next_action)
