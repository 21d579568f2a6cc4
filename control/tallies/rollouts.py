"""Note which devices of rollouts are done, when their jobs are counted, so that nobody has to look at these jobs again.

What is noted holds as long as the job has not moved since it was counted, which the job's own row says: whoever asks
looks at the few that have moved. Where nothing is noted, the job itself is looked at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Row, or_, select, update
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.states import Outcome
from control.database.tables import Rollout, RolloutDevice
from control.planning.intents import INSTALLING

#: How the places begin (see `control.database.tables.job_place`) of jobs that have done what they were for.
_DONE: Final = tuple(f"{JobState.FINISHED}/{outcome}/" for outcome in Outcome if outcome.as_desired)

#: An app's id and a number of one of its revisions.
_Revision: TypeAlias = tuple[str, int]


def note_done(session: Session, counted: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Note of the devices of jobs that are being counted which revision they have got.

    Args:
        session: The transaction that counts them; it holds `lock_tallies`.
        counted: Their devices, apps, revisions and intents, and the places they leave and come to.
    """
    installing = [job for job in counted if job.intent in INSTALLING]
    gone = _by_revision(job for job in installing if _is_done(job.tallied_as) and not _is_done(job.place))
    come = _by_revision(job for job in installing if _is_done(job.place) and not _is_done(job.tallied_as))
    # One job of a device may take the place of another one for the same revision.
    for revision, devices in gone.items():
        _note(session, revision, devices, None, RolloutDevice.done_revision == revision[1])
    for revision, devices in come.items():
        _note(session, revision, devices, revision[1])


def _is_done(place: str) -> bool:
    return place.startswith(_DONE)


def _by_revision(jobs: Iterable[Row[*tuple[Any, ...]]]) -> Mapping[_Revision, list[str]]:
    found: defaultdict[_Revision, list[str]] = defaultdict(list)
    for job in jobs:
        found[job.app_id, job.revision].append(job.device_id)
    return found


def _note(
    session: Session, revision: _Revision, devices: Sequence[str], done: int | None, *which: ColumnElement[bool]
) -> None:
    app_id, number = revision
    bringing = select(Rollout.id).where(
        Rollout.app_id == app_id, or_(Rollout.revision == number, Rollout.rollback_revision == number)
    )
    rollouts = session.scalars(bringing).all()
    if rollouts:
        theirs = (RolloutDevice.rollout_id.in_(rollouts), RolloutDevice.device_id.in_(devices))
        session.execute(update(RolloutDevice).where(*theirs, *which).values(done_revision=done))
