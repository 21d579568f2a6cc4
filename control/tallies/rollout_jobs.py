"""Count the jobs of a rollout's devices in the rollout's own tallies, from its start until another one of its app.

A device is counted in the transaction that lets it in, and taken out in the one that lets it go: jobs where they were
counted last, as in all tallies.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from control.database.among import among
from control.database.session import lock_tallies
from control.database.tables import Job, Rollout, RolloutDevice, RolloutTally
from control.tallies.changes import Place, add_to

#: Databases bound the number of parameters of one statement.
_BATCH: Final = 500


def begin_tallies(session: Session, rollout: Rollout) -> None:
    """Count the jobs of all devices in a rollout, from now on, and no longer those in the one before it."""
    lock_tallies(session)
    before = select(Rollout.id).where(Rollout.app_id == rollout.app_id, Rollout.is_tallied)
    session.execute(delete(RolloutTally).where(RolloutTally.rollout_id.in_(before)))
    session.execute(
        update(Rollout).where(Rollout.app_id == rollout.app_id, Rollout.is_tallied).values(is_tallied=False)
    )
    rollout.is_tallied = True
    session.flush()
    own = (RolloutDevice.rollout_id == rollout.id, RolloutDevice.left_at.is_(None))
    add_to(session, RolloutTally, counted_of_rollouts(session, *own))


def tally_devices(session: Session, rollout: Rollout, device_ids: Collection[str], by: int) -> None:
    """Count the jobs of devices that a rollout lets in, or no longer those of devices that it lets go.

    Args:
        session: The transaction that does.
        rollout: The rollout.
        device_ids: They have rows in it.
        by: 1 for those let in, -1 for those let go.
    """
    lock_tallies(session)
    ids, changes = list(device_ids), Counter[Place]()
    for start in range(0, len(ids), _BATCH):
        these = RolloutDevice.device_id.in_(ids[start : start + _BATCH])
        for place, jobs in counted_of_rollouts(session, RolloutDevice.rollout_id == rollout.id, these).items():
            changes[place] += by * jobs
    add_to(session, RolloutTally, changes)


def rollout_changes(session: Session, moves: Collection[tuple[str, str, str, str]]) -> Counter[Place]:
    """By how much the numbers of rollouts change when jobs move: from (device, app, old place, new place)."""
    apps = {app_id for _, app_id, *_ in moves}
    tallied = select(Rollout.app_id, Rollout.id).where(Rollout.is_tallied, Rollout.app_id.in_(apps))
    rollouts: Mapping[str, str] = dict(session.execute(tallied).all())
    devices = _devices_in(session, rollouts, moves)
    changes: Counter[Place] = Counter()
    for device_id, app_id, old, new in moves:
        if device_id in devices.get(app_id, ()):
            if old:
                changes[rollouts[app_id], app_id, old] -= 1
            if new:
                changes[rollouts[app_id], app_id, new] += 1
    return changes


_IN_IT: Final = select(RolloutDevice.device_id).where(
    RolloutDevice.left_at.is_(None), among(RolloutDevice.device_id, "device_ids")
)


def _devices_in(
    session: Session, rollouts: Mapping[str, str], moves: Collection[tuple[str, str, str, str]]
) -> Mapping[str, Collection[str]]:
    """Which devices of jobs that move are in the rollout of the job's app, by app."""
    moving: defaultdict[str, list[str]] = defaultdict(list)
    for device_id, app_id, *_ in moves:
        moving[app_id].append(device_id)
    return {
        app_id: set(
            session.scalars(_IN_IT.where(RolloutDevice.rollout_id == rollout_id), {"device_ids": moving[app_id]})
        )
        for app_id, rollout_id in rollouts.items()
    }


def counted_of_rollouts(session: Session, *which: ColumnElement[bool]) -> dict[Place, int]:
    """How many jobs of these devices were counted in each place, by rollout, app and place, for its app."""
    place = (RolloutDevice.rollout_id, Job.app_id, Job.tallied_as)
    jobs = (
        select(*place, func.count())
        .join(Rollout, Rollout.id == RolloutDevice.rollout_id)
        .join(Job, (Job.device_id == RolloutDevice.device_id) & (Job.app_id == Rollout.app_id))
    )
    counted = jobs.where(Rollout.is_tallied, Job.tallied_as != "", *which).group_by(*place)
    return {(rollout, app, where): number for rollout, app, where, number in session.execute(counted)}
