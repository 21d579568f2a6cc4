"""How the devices of a rollout are doing, as their newest jobs for its revision say."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, not_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from contract.error_codes import ErrorCode
from contract.failure_classes import failure_class_of
from contract.jobs import JobState
from contract.phases import Phase
from contract.policy import FailureClass
from control.cancel_reasons import CancelReason
from control.database.tables import Device, Job, Rollout, RolloutDevice
from control.planning.intents import INSTALLING
from control.rollouts.counts import DeviceResult, RingCounts, count
from control.rollouts.holds import target_of
from control.rollouts.spec import RolloutSpec

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
    """The counts of each ring, of devices that are still to have the app."""
    rings = len(RolloutSpec.model_validate(rollout.spec).rings)
    return count((*_held(session, rollout, online_since), *_admitted(session, rollout, online_since)), rings)


def _held(session: Session, rollout: Rollout, online_since: datetime) -> Iterator[tuple[DeviceResult, int]]:
    """Of those that are not admitted, mostly the greater part, no job matters."""
    rows = (
        select(RolloutDevice.ring, (Device.last_seen_at >= online_since).label("online"))
        .join(Device, Device.id == RolloutDevice.device_id)
        .where(*_belongs_to(rollout), RolloutDevice.admitted_at.is_(None))
    )
    for ring, online, number in session.execute(_counted(rows)):
        yield DeviceResult(ring, admitted=False, online=bool(online)), number


def _admitted(session: Session, rollout: Rollout, online_since: datetime) -> Iterator[tuple[DeviceResult, int]]:
    rows = results_query(rollout, online_since).where(RolloutDevice.admitted_at.is_not(None))
    for row in session.execute(_counted(rows)):
        yield result_of(row), row.number


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
