"""How the devices of a rollout are doing, as their newest jobs for its revision say."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, case, false, func, literal, not_, null, select, true, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from contract.error_codes import ErrorCode
from contract.failure_classes import failure_class_of
from contract.jobs import JobState
from contract.phases import Phase
from contract.policy import FailureClass
from contract.states import Outcome
from control.cancel_reasons import CancelReason
from control.database.tables import Device, Job, Rollout, RolloutDevice
from control.planning.intents import INSTALLING
from control.rollouts.counts import DeviceResult, RingCounts, count
from control.rollouts.holds import target_of
from control.rollouts.spec import RolloutSpec
from control.tallies.standings import HAS_MOVED_SINCE

#: What of a job says how it is doing.
_FACTS: Final[tuple[InstrumentedAttribute[Any], ...]] = (
    Job.state,
    Job.outcome,
    Job.enforcement_state,
    Job.next_action_reason,
    Job.error_code,
    Job.phase,
)

_PHASES: Final = {code.slug: code.phase for code in ErrorCode}


def load_counts(session: Session, rollout: Rollout, online_since: datetime) -> tuple[RingCounts, ...]:
    """The counts of each ring, of devices that are still to have the app.

    Devices that are done are counted as it was noted when their jobs were (`control.tallies.rollouts`), but for those
    whose jobs have moved since. One statement reads both, so it sees one moment.
    """
    rings = len(RolloutSpec.model_validate(rollout.spec).rings)
    is_done, has_moved = RolloutDevice.done_revision == target_of(rollout), _has_moved(rollout)
    # PostgreSQL cannot know how many these are, and takes what is null for rare, as they mostly are.
    is_open = case((is_done, 1)).is_(None)
    admitted = results_query(rollout, online_since).where(RolloutDevice.admitted_at.is_not(None))
    parts = (
        _counted(admitted.where(is_open)),
        _counted(admitted.where(is_done, has_moved)),
        _done(rollout, func.count(), is_done),
        _done(rollout, -func.count(), is_done, has_moved),
        *_held(rollout, online_since),
    )
    return count(((result_of(row), row.number) for row in session.execute(union_all(*parts))), rings)


def _done(rollout: Rollout, number: ColumnElement[int], *which: ColumnElement[bool]) -> Select[Any]:
    """Admitted devices as they are counted whose newest job has done what it was for, whatever else there is to it."""
    facts = _facts_of({Job.state: JobState.FINISHED, Job.outcome: Outcome.INSTALLED})
    done = select(RolloutDevice.ring, true().label("admitted"), true().label("online"), *facts, number.label("number"))
    admitted = (*_belongs_to(rollout), RolloutDevice.admitted_at.is_not(None))
    return done.where(*admitted, *which).group_by(RolloutDevice.ring)


def _held(rollout: Rollout, online_since: datetime) -> tuple[Select[Any], Select[Any]]:
    """Of those that are not admitted, mostly most, no job matters: those that are online, and the others."""
    online = func.count(case((Device.last_seen_at >= online_since, 1))).label("online")
    counts = select(RolloutDevice.ring, func.count().label("all"), online)
    held = (*_belongs_to(rollout), RolloutDevice.admitted_at.is_(None))
    # In the order of the index: SQLite would sort all rows for another one.
    in_order = (RolloutDevice.done_revision, RolloutDevice.ring)
    found = counts.join(Device, Device.id == RolloutDevice.device_id).where(*held).group_by(*in_order).cte("held").c
    there, away = found.online.label("number"), (found.all - found.online).label("number")
    return (
        select(found.ring, false().label("admitted"), true().label("online"), *_facts_of({}), there),
        select(found.ring, false().label("admitted"), false().label("online"), *_facts_of({}), away),
    )


def _facts_of(known: Mapping[InstrumentedAttribute[Any], object]) -> Iterator[ColumnElement[Any]]:
    """A job's facts that are the same for all."""
    for fact in _FACTS:
        yield literal(known[fact], fact.type) if fact in known else null()


def _has_moved(rollout: Rollout) -> ColumnElement[bool]:
    """Whether a job of the device for the app has moved since it was counted; few have."""
    moved = select(Job.device_id).where(HAS_MOVED_SINCE, Job.app_id == rollout.app_id)
    return RolloutDevice.device_id.in_(moved)


def _counted(rows: Select[*tuple[Any, ...]]) -> Select[Any]:
    """How many of the rows are alike, but for whose they are and when."""
    shared = [column for column in rows.subquery().c if column.key not in {"device_id", "finished_at"}]
    return select(*shared, func.count().label("number")).group_by(*shared)


def load_results(session: Session, rollout: Rollout, online_since: datetime) -> Iterator[tuple[str, DeviceResult]]:
    """Each device of the rollout with its result."""
    for row in session.execute(results_query(rollout, online_since)):
        yield row.device_id, result_of(row)


def results_query(rollout: Rollout, online_since: datetime) -> Select[Any]:
    """A row for each device that has not left, with the facts of its newest job for the revision, if any."""
    return (
        select(
            RolloutDevice.device_id,
            RolloutDevice.ring,
            RolloutDevice.admitted_at.is_not(None).label("admitted"),
            (Device.last_seen_at >= online_since).label("online"),
            *_FACTS,
            Job.finished_at,
        )
        .join(Device, Device.id == RolloutDevice.device_id)
        .outerjoin(Job, _newest_for(rollout))
        .where(*_belongs_to(rollout))
    )


def _belongs_to(rollout: Rollout) -> tuple[ColumnElement[bool], ...]:
    return RolloutDevice.rollout_id == rollout.id, RolloutDevice.left_at.is_(None)


def _newest_for(rollout: Rollout) -> ColumnElement[bool]:
    """The device's newest job for the app, where it is for the revision that admitted devices get.

    One that nobody wanted any more, or whose device was given up, has been planned anew or will be.
    """
    void = and_(Job.state == JobState.CANCELLED, Job.cancel_reason != CancelReason.OPERATOR)
    return and_(
        Job.device_id == RolloutDevice.device_id,
        Job.app_id == rollout.app_id,
        Job.is_newest,
        Job.revision == target_of(rollout),
        Job.intent.in_(sorted(INSTALLING)),
        not_(func.coalesce(void, false())),
    )


def result_of(row: Row[Any]) -> DeviceResult:
    """A row of `results_query` as what the rules judge."""
    return DeviceResult(
        ring=row.ring,
        admitted=bool(row.admitted),
        online=bool(row.online),
        state=row.state,
        outcome=row.outcome,
        enforcement=row.enforcement_state,
        next_action_reason=row.next_action_reason,
        failure=_failure(row.error_code, row.phase),
    )


def _failure(code: str | None, phase: Phase | None) -> FailureClass | None:
    """The class of an error; a job that is tried again is in another phase by now than the one that failed."""
    if code is None:
        return None
    return failure_class_of(code, _PHASES.get(code) or phase or Phase.INSTALL)
