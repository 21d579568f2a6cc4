"""How many jobs are where: counted by the database, put together by pure functions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, and_, cast, func, not_, or_, select, union_all
from sqlalchemy.orm import Session

from contract.jobs import JobState
from contract.report import WaitReason
from contract.states import Outcome
from control.answers.job_filter import JobFilter, conditions
from control.answers.moment import Moment
from control.answers.tallied import Tallied
from control.database.tables import Device, Job
from control.live_states import WANTED_STATES
from control.views.status import JobCount, JobSummary


class Place(StrEnum):
    """Where a job is, as far as somebody who waits for it is concerned."""

    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"
    CANCELLED = "cancelled"
    RETRYING = "retrying"
    UNDER_WAY = "under_way"


_NOT_FOR_THE_DEVICE = frozenset({Outcome.NOT_APPLICABLE, Outcome.REQUIREMENTS_NOT_MET, Outcome.EVALUATED})
#: Waits that follow when all attempts of a round have failed.
_LONG_WAITS = frozenset({WaitReason.GRS, WaitReason.SCHEDULE})
_SHORT_WAITS = tuple(reason for reason in WaitReason if reason not in _LONG_WAITS)
#: Whoever waits for a job in one of these states waits for its device.
_AWAITED_STATES = tuple(state for state in WANTED_STATES if state is not JobState.WAITING)
_OWN = (Job.__table__.c.state, Job.__table__.c.next_action_reason)
_PLACE = (Job.state, Job.outcome, Job.next_action_reason)


def place_of(state: JobState, outcome: Outcome | None, reason: WaitReason | None) -> Place:
    """Where a job in this state is, with the outcome of its newest attempt and the reason of its wait."""
    match state:
        case JobState.CANCELLED | JobState.CANCELLING:
            return Place.CANCELLED
        case JobState.FINISHED:
            return _ended(outcome)
        case JobState.WAITING if reason in _LONG_WAITS:
            return Place.FAILED
        case JobState.WAITING:
            return Place.RETRYING
        case _:
            return Place.UNDER_WAY


def summarise(counts: Sequence[JobCount]) -> JobSummary:
    """The counts added up."""
    places: Counter[Place] = Counter()
    offline = 0
    for count in counts:
        place = place_of(count.state, count.outcome, count.reason)
        places[place] += count.jobs
        if place in {Place.RETRYING, Place.UNDER_WAY} and not count.online:
            offline += count.jobs
    numbers = {place.value: places[place] for place in Place}
    return JobSummary(jobs=places.total(), offline=offline, counts=tuple(counts), **numbers)


def job_summary(session: Session, wanted: JobFilter, moment: Moment) -> JobSummary:
    """Where the jobs are that the filter lets through.

    Raises:
        NotFoundError: The filter names something that is not there.
        InputError: What it names could be several things.
    """
    tallied = Tallied.of(session, wanted)
    rest = _rest_counted(session, conditions(session, wanted)) if tallied is None else _rest_tallied(session, tallied)
    # As a rule few jobs are waited for.
    awaited = conditions(session, wanted, one_by_one=True)
    return summarise([*_awaited_counts(session, awaited, moment), *rest])


def _ways_to_be_awaited(state: ColumnElement[Any], reason: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    """How it can be that something is to come of a job soon, so that it matters whether its device is there."""
    waits = (reason.is_(None), reason.in_(_SHORT_WAITS))
    return *(state == one for one in _AWAITED_STATES), *(and_(state == JobState.WAITING, one) for one in waits)


def _awaited_counts(session: Session, wanted: Sequence[ColumnElement[bool]], moment: Moment) -> Iterator[JobCount]:
    is_online = (Device.last_seen_at >= moment.online_since) & Device.retired_at.is_(None)
    # Asked of each job's device: a join would have PostgreSQL read all devices for a few hundred jobs.
    online = select(is_online).where(Device.id == Job.device_id).scalar_subquery().label("online")
    # Each way for itself: SQLite takes every state for as common as the others, and would walk through all jobs.
    ways = (select(*_PLACE, online).where(way, *wanted) for way in _ways_to_be_awaited(*_OWN))
    found = union_all(*ways).subquery()
    rows = select(*found.c, func.count()).group_by(*found.c).order_by(*found.c)
    counted: Sequence[Row[*tuple[Any, ...]]] = session.execute(rows).all()
    for state, outcome, reason, is_there, jobs in counted:
        yield JobCount(state=state, outcome=outcome, reason=reason, online=bool(is_there), jobs=jobs)


def _rest_tallied(session: Session, tallied: Tallied) -> list[JobCount]:
    found = tallied.standings.c
    place = (found.state, found.outcome, found.next_action_reason)
    jobs = cast(func.sum(found.jobs), BigInteger)
    rest = not_(or_(*_ways_to_be_awaited(found.state, found.next_action_reason)))
    rows = select(*place, jobs).where(rest, *tallied.wanted)
    return [_rest(row) for row in session.execute(rows.group_by(*place).having(jobs > 0).order_by(*place))]


def _rest_counted(session: Session, wanted: Sequence[ColumnElement[bool]]) -> list[JobCount]:
    rows = select(*_PLACE, func.count()).where(not_(or_(*_ways_to_be_awaited(*_OWN))), *wanted)
    return [_rest(row) for row in session.execute(rows.group_by(*_PLACE).order_by(*_PLACE))]


def _rest(row: Row[JobState, Outcome | None, WaitReason | None, int]) -> JobCount:
    state, outcome, reason, jobs = row
    return JobCount(state=state, outcome=outcome, reason=reason, online=None, jobs=jobs)


def _ended(outcome: Outcome | None) -> Place:
    if outcome is not None and outcome.as_desired:
        return Place.DONE
    if outcome in _NOT_FOR_THE_DEVICE:
        return Place.NOT_APPLICABLE
    return Place.CANCELLED if outcome is Outcome.CANCELLED else Place.FAILED
