"""Admit devices: lift the hold of those whose ring is open, as far as limits and windows let them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from contract.maintenance import is_open, local
from control.database.session import lock_tallies
from control.database.tables import Device, Job, Rollout, RolloutDevice, RolloutRing
from control.rollouts.counts import Standing, standing_of
from control.rollouts.holds import target_of
from control.rollouts.limits import Place, admissible
from control.rollouts.results import load_results
from control.rollouts.spec import RolloutSpec
from control.rollouts.targets import groups_of_devices

#: Databases bound the number of parameters of one statement.
_BATCH: Final = 500

_AT_WORK: Final = frozenset({Standing.AT_WORK, Standing.RETRYING})


def admit(session: Session, rollout: Rollout, now: datetime, online_since: datetime) -> Sequence[str]:
    """Admit the devices that may begin now; their ids.

    With limits or windows only devices that are online are admitted: the others would all begin when they come back,
    many at once, at whatever time that is.
    """
    spec = RolloutSpec.model_validate(rollout.spec)
    if not spec.limits.bounds_anything and not spec.windows:
        return _lift_all(session, rollout, now)
    waiting = _waiting(session, rollout, spec, now, online_since)
    at_work = _at_work(session, rollout, spec, online_since) if waiting else ()
    return _lift(session, rollout, admissible(waiting, at_work, spec.limits), now)


def withdraw_unsent(session: Session, rollout: Rollout) -> int:
    """Hold the admitted devices again to which nothing of the revision was ever sent; how many."""
    sent = exists().where(
        Job.device_id == RolloutDevice.device_id,
        Job.app_id == rollout.app_id,
        Job.revision == target_of(rollout),
        Job.sent_at.is_not(None),
    )
    admitted = (RolloutDevice.rollout_id == rollout.id, RolloutDevice.admitted_at.is_not(None))
    unsent = list(session.scalars(select(RolloutDevice.device_id).where(*admitted, ~sent)))
    _set_admitted(session, rollout, unsent, None)
    return len(unsent)


def _lift_all(session: Session, rollout: Rollout, now: datetime) -> Sequence[str]:
    held = list(session.scalars(select(RolloutDevice.device_id).where(*_is_held(rollout))))
    return _lift(session, rollout, held, now)


def _is_held(rollout: Rollout) -> tuple[ColumnElement[bool], ...]:
    opened = select(RolloutRing.number).where(RolloutRing.rollout_id == rollout.id, RolloutRing.opened_at.is_not(None))
    return (
        RolloutDevice.rollout_id == rollout.id,
        RolloutDevice.ring.in_(opened),
        RolloutDevice.admitted_at.is_(None),
        RolloutDevice.left_at.is_(None),
    )


def _waiting(
    session: Session, rollout: Rollout, spec: RolloutSpec, now: datetime, online_since: datetime
) -> list[Place]:
    rows = (
        select(Device.id, Device.site, Device.facts)
        .join(RolloutDevice, RolloutDevice.device_id == Device.id)
        .where(*_is_held(rollout), Device.last_seen_at >= online_since)
        .order_by(RolloutDevice.ring, Device.id)
    )
    groups = groups_of_devices(session, spec.limits.groups)
    return [
        Place(device_id, site, groups.get(device_id, frozenset()))
        for device_id, site, facts in session.execute(rows)
        if is_open(spec.windows, local(now, str(facts.get("time_zone", "UTC"))))
    ]


def _at_work(session: Session, rollout: Rollout, spec: RolloutSpec, online_since: datetime) -> Iterable[Place]:
    """The devices that take up a place; one that is offline does not, so that a dead one takes none for ever."""
    sites = dict(session.execute(select(Device.id, Device.site).where(Device.site.is_not(None))).all())
    groups = groups_of_devices(session, spec.limits.groups)
    for device_id, result in load_results(session, rollout, online_since):
        if result.online and standing_of(result) in _AT_WORK:
            yield Place(device_id, sites.get(device_id), groups.get(device_id, frozenset()))


def _lift(session: Session, rollout: Rollout, device_ids: Sequence[str], now: datetime) -> Sequence[str]:
    _set_admitted(session, rollout, device_ids, now)
    return device_ids


def _set_admitted(session: Session, rollout: Rollout, device_ids: Sequence[str], at: datetime | None) -> None:
    # Whoever counts jobs changes these rows, too, in an order of its own.
    lock_tallies(session)
    for start in range(0, len(device_ids), _BATCH):
        these = RolloutDevice.device_id.in_(device_ids[start : start + _BATCH])
        own = (RolloutDevice.rollout_id == rollout.id, these)
        session.execute(update(RolloutDevice).where(*own).values(admitted_at=at))
