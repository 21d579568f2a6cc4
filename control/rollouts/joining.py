"""Who belongs to a rollout: its devices when it starts, those that come later, those that go."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import and_, exists, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from control.database.session import lock_tallies
from control.database.tables import Job, Rollout, RolloutDevice
from control.rollouts.ring_sizing import Candidate, ring_of_late_joiner, split
from control.rollouts.spec import RolloutSpec
from control.rollouts.targets import candidates
from control.tallies.rollout_jobs import begin_tallies, tally_devices

#: Databases bound the number of parameters of one statement.
_BATCH: Final = 500


def fill_rings(session: Session, rollout: Rollout, now: datetime) -> int:
    """Put the devices that the app is required on into rings; how many."""
    spec = RolloutSpec.model_validate(rollout.spec)
    rings = split(spec.rings, candidates(session, rollout.app_id, spec, now), rollout.id)
    _join(session, rollout, rings, now)
    begin_tallies(session, rollout)
    return len(rings)


def follow_assignments(session: Session, rollout: Rollout, now: datetime) -> int:
    """Let in devices that the app is required on by now, and let go of those it is not any more; how many came.

    One that comes back is in the ring it was in, and as admitted as it was.
    """
    spec = RolloutSpec.model_validate(rollout.spec)
    wanted = {candidate.device_id: candidate for candidate in candidates(session, rollout.app_id, spec, now)}
    rows = select(RolloutDevice.device_id, RolloutDevice.left_at).where(RolloutDevice.rollout_id == rollout.id)
    known = dict(session.execute(rows).all())
    _set_left(session, rollout, [one for one, left_at in known.items() if left_at is None and one not in wanted], now)
    _set_left(session, rollout, [one for one, left_at in known.items() if left_at is not None and one in wanted], None)
    new = [candidate for device_id, candidate in wanted.items() if device_id not in known]
    late = _late(spec, new)
    _join(session, rollout, late, now)
    tally_devices(session, rollout, late, by=1)
    return len(new)


def _late(spec: RolloutSpec, new: Collection[Candidate]) -> Mapping[str, int]:
    return {candidate.device_id: ring_of_late_joiner(spec.rings, candidate) for candidate in new}


def _join(session: Session, rollout: Rollout, rings: Mapping[str, int], now: datetime) -> None:
    """Add devices; one that was sent the revision before there was a rollout is admitted: it never goes back."""
    have = _have_it(session, rollout)
    rows = [
        {
            "rollout_id": rollout.id,
            "device_id": device_id,
            "ring": ring,
            "joined_at": now,
            "admitted_at": now if device_id in have else None,
        }
        for device_id, ring in rings.items()
    ]
    if rows:
        session.execute(insert(RolloutDevice), rows)


def _have_it(session: Session, rollout: Rollout) -> frozenset[str]:
    """The devices that were sent the revision, or a later one.

    A device's newest job tells; only where that was not sent, as few are, the ones before it are looked at.
    """
    sent = (Job.revision >= rollout.revision, Job.sent_at.is_not(None))
    earlier = aliased(Job)
    was_sent = exists().where(
        earlier.device_id == Job.device_id,
        earlier.app_id == Job.app_id,
        earlier.revision >= rollout.revision,
        earlier.sent_at.is_not(None),
    )
    newest = select(Job.device_id).where(Job.is_newest, Job.app_id == rollout.app_id)
    return frozenset(session.scalars(newest.where(or_(and_(*sent), and_(Job.sent_at.is_(None), was_sent)))))


def _set_left(session: Session, rollout: Rollout, device_ids: list[str], at: datetime | None) -> None:
    lock_tallies(session)
    for start in range(0, len(device_ids), _BATCH):
        these = RolloutDevice.device_id.in_(device_ids[start : start + _BATCH])
        own = (RolloutDevice.rollout_id == rollout.id, these)
        session.execute(update(RolloutDevice).where(*own).values(left_at=at))
    tally_devices(session, rollout, device_ids, by=1 if at is None else -1)
